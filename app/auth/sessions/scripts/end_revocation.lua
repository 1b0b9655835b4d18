-- Ends a revocation. With a generation, every session of an older one has ended, indexed or not. Some of the index
-- are deleted at once, as Redis serves nobody meanwhile; the others expire.
-- KEYS[3] is a session that goes on, if any, unless another revocation came in between.
local CLEARED = 1000
local generation, reason = unpack(ARGV)
local state, index, kept = KEYS[1], KEYS[2], KEYS[3]
insist(state)
local known = tonumber(redis.call('HGET', state, 'generation') or -1)
-- Known already if MongoDB was asked since the write, by a sign-in for example: the kept session goes on.
if generation ~= '' and tonumber(generation) >= known then
  redis.call('HSET', state, 'generation', generation)
  if tonumber(redis.call('HGET', kept, 'generation') or -1) == tonumber(generation) - 1 then
    redis.call('HSET', kept, 'generation', generation)
  end
  local prefix = string.sub(state, 1, -1 - #'state') .. 'session:'
  for _, sid in ipairs(redis.call('ZRANGE', index, 0, CLEARED - 1)) do
    local session = prefix .. sid
    local of = redis.call('HGET', session, 'generation')
    if of and tonumber(of) < tonumber(generation) then
      bury(session, reason)
    end
    if not of or tonumber(of) < tonumber(generation) then forget(sid) end
  end
end
if redis.call('HEXISTS', state, 'doubts') == 1 then
  if redis.call('HINCRBY', state, 'doubts', -1) <= 0 then redis.call('HDEL', state, 'doubts', 'doubted_at') end
end
return {'ok'}
