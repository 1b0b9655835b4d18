-- Begins a grant in its browser session, which is used by that: {'ok'}. Otherwise {'gone', why or ''}, or {'consult',
-- generation} if MongoDB must confirm the browser session first (then call with `confirmed`).
local MOST = 100  -- grants of one browser session: those that would end first make room
local sid, client, scopes, epoch, idle_ms, ttl_ms, registration, confirmed, auth_time = unpack(ARGV)
local state, grant = KEYS[1], KEYS[3]
local browser, whole = browser_of(grant), browser_of(sid)
local grants, now = browser .. '~', clock()
local held = redis.call('HMGET', browser, 'generation', 'epoch', 'expires_at', 'ended')
local user = redis.call('HMGET', state, 'generation', 'doubts', 'only')
if not held[1] then return {'gone', held[4] or ''} end
if user[1] and tonumber(user[1]) > tonumber(held[1]) then return {'gone', 'revoked'} end
if user[3] and user[3] ~= whole then return {'gone', 'displaced'} end
if redis.call('EXISTS', grant) == 1 then return {'gone', 'revoked'} end
if confirmed ~= '1' and (user[2] or held[2] ~= epoch or user[1] ~= held[1]) then return {'consult', held[1]} end

local ends = math.min(now + tonumber(idle_ms), tonumber(held[3]))
local of_grant = math.min(ends, now + (tonumber(ttl_ms) or idle_ms))
redis.call('HSET', grant, 'client', client, 'scopes', scopes, 'generation', held[1], 'epoch', epoch, 'counter', 1,
  'rotated_at', now, 'created_at', now, 'used_at', now, 'registration', registration,
  'auth_time', auth_time)
redis.call('PEXPIREAT', grant, of_grant)
redis.call('ZREMRANGEBYSCORE', grants, '-inf', now)
keep(sid, of_grant)
for _, other in ipairs(redis.call('ZRANGE', grants, 0, -1 - MOST)) do
  forget(other)
  bury(browser .. string.sub(other, #whole + 1), 'displaced')
end
outlast(grants, tonumber(held[3]) - now)
use_browser(browser, whole, now, ends)
return {'ok'}
