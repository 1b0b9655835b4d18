-- Uses a record: KEYS 1 its key; ARGV the epoch, and how long its use is remembered. Answers {1 if this is the first
-- use, the record}, or nothing if there is none of this epoch.
local held = redis.call('HMGET', KEYS[1], '.epoch', '.used')
if held[1] ~= ARGV[1] then return {} end
local record = redis.call('HGETALL', KEYS[1])
if held[2] then return {0, record} end
redis.call('HSET', KEYS[1], '.used', 1)
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return {1, record}
