-- Begins a revocation of all sessions of a user: until it ends, each request asks MongoDB.
local state = KEYS[1]
insist(state)
redis.call('HINCRBY', state, 'doubts', 1)
redis.call('HSET', state, 'doubted_at', clock())
outlast(state, tonumber(ARGV[1]))
return {'ok'}
