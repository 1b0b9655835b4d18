-- Stores a record: KEYS 1 its key; ARGV its life, the epoch, then names and values.
-- Names that begin with a point are ours: .epoch, and .used once it is.
redis.call('HSET', KEYS[1], '.epoch', ARGV[2], unpack(ARGV, 3))
redis.call('PEXPIRE', KEYS[1], ARGV[1])
return 1
