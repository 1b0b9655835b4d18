-- Lists living sessions: {sid, client, scopes, created_at, used_at, expires_at, address, agent, grants, registration,
-- counter, generation, epoch}, where `expires_at` is the earlier of the idle and the absolute end, and `grants` are
-- `client:registration`s. All of the index, up to ARGV[1]; with ARGV[2], that one alone, indexed or not.
local state, index, prefix = KEYS[1], KEYS[2], KEYS[3]
local user = redis.call('HMGET', state, 'generation', 'only')
local asked = {ARGV[2]}
if ARGV[2] == '' then asked = redis.call('ZREVRANGE', index, 0, tonumber(ARGV[1]) - 1) end

local function grants_in(browser)
  local found = {}
  for _, grant in ipairs(redis.call('ZRANGEBYSCORE', browser .. '~', clock(), '+inf')) do
    local held = redis.call('HMGET', prefix .. grant, 'client', 'registration')
    if held[1] then found[#found + 1] = held[1] .. ':' .. held[2] end
  end
  return found
end

local found = {}
for _, sid in ipairs(asked) do
  local held = redis.call('HMGET', prefix .. sid,
    'generation', 'client', 'scopes', 'created_at', 'used_at', 'address', 'agent', 'counter', 'epoch', 'registration')
  local browser = browser_of(sid)
  if browser and held[1] then held[1] = redis.call('HGET', prefix .. browser, 'generation') end
  local dead = not held[1] or (user[1] and tonumber(user[1]) > tonumber(held[1]))
    or (user[2] and user[2] ~= (browser or sid))
  if not dead then
    local expires_at = redis.call('ZSCORE', index, sid)  -- or, if Redis lost the index, the key's own
      or string.format('%d', clock() + redis.call('PTTL', prefix .. sid))
    local grants = held[3] == '' and grants_in(prefix .. sid) or {}
    found[#found + 1] = {sid, held[2], held[3], held[4], held[5], expires_at, held[6], held[7], grants, held[10],
      held[8], held[1], held[9]}
  end
end
return found
