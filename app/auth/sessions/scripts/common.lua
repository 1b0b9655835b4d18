-- KEYS of every script but count: 1 the state of the user's sessions, 2 their index, 3 one session, 4 all living ones.
-- state:   generation, epoch, doubts, doubted_at, only; with the epoch under which MongoDB said the generation
-- session: client, scopes, generation, epoch, counter, rotated_at, created_at, used_at, expires_at, address,
--          agent, registration (of its client); or, once it has ended, nothing but `ended`: why
-- index:   session ids by the time at which they end if nobody uses them
-- living:  the same of all users, so that they can be counted; it decides nothing
-- Times are milliseconds of the server's clock: those of the workers may differ.

local MARKER_MS = 7200000  -- longer than any access token lives, so that its holder learns why

local function clock()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

-- What must pass though Redis be full begins with this: a script that has written is let go on, and this may.
local function insist(key)
  redis.call('HDEL', key, '')
end

local function keep(sid, ends)
  redis.call('ZADD', KEYS[2], ends, sid)
  redis.call('ZADD', KEYS[4], ends, sid)
end

local function forget(sid)
  redis.call('ZREM', KEYS[2], sid)
  redis.call('ZREM', KEYS[4], sid)
end

-- A full Redis refuses to keep the reason, never the end.
local function bury(session, reason)
  redis.call('DEL', session)
  redis.pcall('HSET', session, 'ended', reason)
  redis.call('PEXPIRE', session, MARKER_MS)
end

local function outlast(key, ms)
  if redis.call('PTTL', key) < ms then redis.call('PEXPIRE', key, ms) end
end

local function in_doubt(doubts, doubted_at, now, settled_ms)
  return doubts and now - tonumber(doubted_at or 0) < settled_ms
end
