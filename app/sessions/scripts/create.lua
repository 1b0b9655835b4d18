-- A new session, and the ends of those it displaces. Answers {'ok', displaced...}, or {'stale', known generation}
-- where the user was signed out everywhere after `generation` was read, or {'doubt'} while that is being done.
local sid, generation, client, scopes, address, agent, epoch = unpack(ARGV, 1, 7)
local idle_ms, absolute_ms, limit, settled_ms = unpack(ARGV, 8, 11)
local state, index, session = KEYS[1], KEYS[2], KEYS[3]
idle_ms, absolute_ms, limit = tonumber(idle_ms), tonumber(absolute_ms), tonumber(limit)
local now = clock()
local held = redis.call('HMGET', state, 'generation', 'doubts', 'doubted_at')
if in_doubt(held[2], held[3], now, tonumber(settled_ms)) then return {'doubt'} end
if held[1] and tonumber(held[1]) > tonumber(generation) then return {'stale', held[1]} end

-- First what a full Redis refuses, so that then nobody is displaced. Where nothing is known of the user, the
-- session is not vouched for: its first request asks MongoDB.
redis.call('HSET', session, 'client', client, 'scopes', scopes, 'generation', generation,
  'epoch', held[1] and epoch or '', 'counter', 1, 'rotated_at', now, 'created_at', now, 'used_at', now,
  'expires_at', now + absolute_ms, 'address', address, 'agent', agent)
redis.call('PEXPIRE', session, idle_ms)
redis.call('HSET', state, 'generation', generation)
if limit == 1 then redis.call('HSET', state, 'only', sid) else redis.call('HDEL', state, 'only') end
redis.call('ZREMRANGEBYSCORE', index, '-inf', now)
local displaced = {}
if limit > 0 then
  local excess = redis.call('ZCARD', index) - (limit - 1)
  if excess > 0 then displaced = redis.call('ZRANGE', index, 0, excess - 1) end
end
redis.call('ZADD', index, now + idle_ms, sid)
local prefix = string.sub(session, 1, -1 - #sid)
for _, other in ipairs(displaced) do
  redis.call('ZREM', index, other)
  bury(prefix .. other, 'displaced')
end
outlast(state, absolute_ms + MARKER_MS)
outlast(index, absolute_ms + MARKER_MS)
return {'ok', unpack(displaced)}
