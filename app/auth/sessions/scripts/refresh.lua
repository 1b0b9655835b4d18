-- Refreshes a session: {'ok', number of the next refresh token, scopes, end of the session, when its user signed in or
-- ''}. Otherwise {'gone', why
-- or ''}; {'consult', generation, client, registration} if MongoDB must confirm first (then call with `confirmed`);
-- {'foreign'} if it is another client's; {'wider'} if more scopes are requested than it has and the client is
-- `allowed`, or none is left; {'reused'} if the token was used before, which ends the session.
local function holds(scopes, scope)
  return string.find(' ' .. scopes .. ' ', ' ' .. scope .. ' ', 1, true)
end

local sid, counter, client, epoch, idle_ms, grace_ms, narrowed, confirmed, registration, allowed = unpack(ARGV)
local state, session = KEYS[1], KEYS[3]
counter, idle_ms = tonumber(counter), tonumber(idle_ms)
local now = clock()
local held = redis.call('HMGET', session,
  'generation', 'epoch', 'counter', 'rotated_at', 'expires_at', 'client', 'scopes', 'ended', 'registration',
  'auth_time')
local browser = browser_of(session)
if browser and held[1] then
  local whole = redis.call('HMGET', browser, 'generation', 'expires_at', 'ended')
  held[1], held[5], held[8] = whole[1], whole[2], whole[3]
end
local user = redis.call('HMGET', state, 'generation', 'doubts', 'doubted_at', 'only')
local generation, current = tonumber(held[1]), tonumber(held[3])
if not generation then return {'gone', held[8] or ''} end
if user[1] and tonumber(user[1]) > generation then return {'gone', 'revoked'} end
if user[4] and user[4] ~= (browser_of(sid) or sid) then return {'gone', 'displaced'} end
if confirmed ~= '1' and (user[2] or held[2] ~= epoch or tonumber(user[1]) ~= generation) then
  return {'consult', held[1], held[6], held[9] or ''}
end
if client ~= held[6] then return {'foreign'} end
if registration ~= (held[9] or '') then  -- removed since, and registered again under the same id
  bury(session, 'revoked')
  forget(sid)
  return {'gone', 'revoked'}
end
local granted = {}
for scope in string.gmatch(held[7], '%S+') do
  if allowed == '*' or holds(allowed, scope) then granted[#granted + 1] = scope end
end
granted = table.concat(granted, ' ')
for scope in string.gmatch(narrowed, '%S+') do
  if not holds(granted, scope) then return {'wider'} end
end
if granted == '' then return {'wider'} end

local successor
if counter >= current then
  -- Ahead of Redis: only we can have made it, so Redis lost a rotation, and the token is still valid.
  successor = counter + 1
elseif counter == current - 1 and now - tonumber(held[4]) < tonumber(grace_ms) then
  return {'ok', current, granted, now + redis.call('PTTL', session), held[10] or ''}
else
  bury(session, 'reused')
  forget(sid)
  return {'reused'}
end
local ends = math.min(now + idle_ms, tonumber(held[5]))
redis.call('HSET', session, 'counter', successor, 'rotated_at', now, 'used_at', now)
redis.call('PEXPIREAT', session, ends)
keep(sid, ends)
if browser then use_browser(browser, browser_of(sid), now, ends) end
return {'ok', successor, granted, ends, held[10] or ''}
