-- All of the user's sessions may be about to end: until `settle`, each request asks MongoDB.
local state = KEYS[1]
insist(state)
redis.call('HINCRBY', state, 'doubts', 1)
redis.call('HSET', state, 'doubted_at', clock())
outlast(state, tonumber(ARGV[1]))
return {'ok'}
