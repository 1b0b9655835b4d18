-- Counts the living sessions of all users; KEYS: 1 all living ones.
return redis.call('ZCOUNT', KEYS[1], clock(), '+inf')
