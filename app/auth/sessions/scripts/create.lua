-- Creates a session, and ends those it displaces: the ones unused for longest. Answers {'ok', displaced...}, or
-- {'stale', known generation} if the user was signed out everywhere after `generation` was read, or {'in_doubt'}
-- while that may be in progress, unless MongoDB `confirmed` the generation. If the sign-out comes after all, it
-- ends this session too: until then each of its requests asks MongoDB.
local SWEPT = 32  -- bounded, but more than one, so that expired sessions do not accumulate
local sid, generation, client, scopes, address, agent, epoch = unpack(ARGV, 1, 7)
local idle_ms, absolute_ms, limit, settled_ms, confirmed, registration, auth_time = unpack(ARGV, 8, 14)
local state, index, session = KEYS[1], KEYS[2], KEYS[3]
idle_ms, absolute_ms, limit = tonumber(idle_ms), tonumber(absolute_ms), tonumber(limit)
local now = clock()
local held = redis.call('HMGET', state, 'generation', 'epoch', 'doubts', 'doubted_at')
if confirmed ~= '1' and in_doubt(held[3], held[4], now, tonumber(settled_ms)) then return {'in_doubt'} end
if held[1] and tonumber(held[1]) > tonumber(generation) then return {'stale', held[1]} end

-- First what a full Redis refuses, so that then nobody is displaced. Unless Redis has the epoch of the user, the
-- session is not confirmed: its first request asks MongoDB.
redis.call('HSET', session, 'client', client, 'scopes', scopes, 'generation', generation,
  'epoch', held[2] == epoch and epoch or '', 'counter', 1, 'rotated_at', now, 'created_at', now, 'used_at', now,
  'expires_at', now + absolute_ms, 'address', address, 'agent', agent, 'registration', registration,
  'auth_time', auth_time)
redis.call('PEXPIRE', session, idle_ms)
redis.call('HSET', state, 'generation', generation)
if limit == 1 then redis.call('HSET', state, 'only', sid) else redis.call('HDEL', state, 'only') end
redis.call('ZREMRANGEBYSCORE', index, '-inf', now)
for _, past in ipairs(redis.call('ZRANGEBYSCORE', KEYS[4], '-inf', now, 'LIMIT', 0, SWEPT)) do
  redis.call('ZREM', KEYS[4], past)
end

local answer = {'ok'}
if limit > 0 and redis.call('ZCARD', index) >= limit then
  local prefix, living = string.sub(session, 1, -1 - #sid), {}
  for place, other in ipairs(redis.call('ZRANGE', index, 0, -1)) do
    local used_at = redis.call('HGET', prefix .. other, 'used_at')
    if used_at then
      living[#living + 1] = {sid = other, used_at = tonumber(used_at), place = place}
    else
      forget(other)
    end
  end
  table.sort(living, function(one, two)
    if one.used_at ~= two.used_at then return one.used_at < two.used_at end
    return one.place < two.place
  end)
  for number = 1, #living - (limit - 1) do
    local other = living[number].sid
    forget(other)
    bury(prefix .. other, 'displaced')
    answer[#answer + 1] = other
  end
end
keep(sid, now + idle_ms)
outlast(state, absolute_ms + MARKER_MS)
outlast(index, absolute_ms + MARKER_MS)
return answer
