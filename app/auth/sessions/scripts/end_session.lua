-- Ends one session. Answers {1} if it was alive. A grant is ended that has not begun, too: then it never will.
local sid, reason = unpack(ARGV)
local alive = redis.call('HEXISTS', KEYS[3], 'generation')
if alive == 1 or (browser_of(sid) and redis.call('EXISTS', KEYS[3]) == 0) then bury(KEYS[3], reason) end
forget(sid)
return {alive}
