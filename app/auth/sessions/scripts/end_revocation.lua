-- The end of a doubt. With a generation: every session of an older one has ended, indexed or not. Of those in
-- the index some are cleared away too; the others go when they would have: Redis serves nobody meanwhile.
-- KEYS[3] is a session that lives on, if any: unless another end came between, which it does not outlive.
local CLEARED = 1000
local generation, reason = unpack(ARGV)
local state, index, kept = KEYS[1], KEYS[2], KEYS[3]
insist(state)
local known = tonumber(redis.call('HGET', state, 'generation') or -1)
-- Known already where MongoDB was asked since the write, for a sign-in say: the session kept goes on all the same.
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
