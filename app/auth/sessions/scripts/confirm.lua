-- Stores for this epoch that MongoDB confirmed the session (a grant and its browser session, if it is one), and drops
-- an abandoned revocation.
local generation, epoch, settled_ms = unpack(ARGV)
local state, grant = KEYS[1], KEYS[3]
local session = browser_of(grant) or grant
if redis.call('HGET', session, 'generation') ~= generation then return {'ok'} end
local now = clock()
insist(state)
local user = redis.call('HMGET', state, 'generation', 'doubts', 'doubted_at')
if user[2] and not in_doubt(user[2], user[3], now, tonumber(settled_ms)) then
  redis.call('HDEL', state, 'doubts', 'doubted_at')
end
if not user[1] or tonumber(user[1]) <= tonumber(generation) then
  redis.call('HSET', state, 'generation', generation, 'epoch', epoch)
end
redis.call('HSET', session, 'epoch', epoch)
if redis.call('HEXISTS', grant, 'generation') == 1 then redis.call('HSET', grant, 'epoch', epoch) end
outlast(state, redis.call('PTTL', session) + MARKER_MS)
return {'ok'}
