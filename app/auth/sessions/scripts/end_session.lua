-- Ends one session. Answers {1} if it was alive.
local sid, reason = unpack(ARGV)
local alive = redis.call('HEXISTS', KEYS[3], 'generation')
if alive == 1 then bury(KEYS[3], reason) end
forget(sid)
return {alive}
