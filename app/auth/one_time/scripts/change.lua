-- Changes a record that is of this epoch and unused: KEYS 1 its key; ARGV the epoch, then names and values. Whether
-- it was.
local held = redis.call('HMGET', KEYS[1], '.epoch', '.used')
if held[1] ~= ARGV[1] or held[2] then return 0 end
redis.call('HSET', KEYS[1], unpack(ARGV, 2))
return 1
