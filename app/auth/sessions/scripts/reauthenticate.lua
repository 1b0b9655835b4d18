-- Notes that the password was shown again in a browser session: {'ok', number of the next cookie, time}. {'gone'} if
-- the session is not sure to stand at this generation, the cookie is not its newest, or the user has too many: then a
-- new session begins.
local sid, number, generation, epoch, idle_ms, absolute_ms, limit, address, agent = unpack(ARGV)
local state, index, session = KEYS[1], KEYS[2], KEYS[3]
number, idle_ms, absolute_ms, limit = tonumber(number), tonumber(idle_ms), tonumber(absolute_ms), tonumber(limit)
local held = redis.call('HMGET', session, 'generation', 'epoch', 'counter')
local user = redis.call('HMGET', state, 'generation', 'doubts', 'only')
if held[1] ~= generation or user[1] ~= generation or held[2] ~= epoch or user[2] then return {'gone'} end
if (user[3] and user[3] ~= sid) or number < tonumber(held[3]) then return {'gone'} end
if limit > 0 and redis.call('ZCARD', index) > limit then return {'gone'} end

local now = clock()
redis.call('HSET', session, 'counter', number + 1, 'rotated_at', now, 'used_at', now, 'auth_at', now,
  'expires_at', now + absolute_ms, 'address', address, 'agent', agent)
redis.call('PEXPIRE', session, idle_ms)
keep(sid, now + idle_ms)
outlast(state, absolute_ms + MARKER_MS)
outlast(index, absolute_ms + MARKER_MS)
outlast(session .. '~', absolute_ms)
return {'ok', number + 1, now}
