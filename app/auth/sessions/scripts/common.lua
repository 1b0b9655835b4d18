-- KEYS of every script but count: 1 the state of the user's sessions, 2 their index, 3 one session, 4 all living ones.
-- state:   generation, epoch (under which MongoDB confirmed it), doubts (revocations in doubt), doubted_at, only
-- session: client, scopes, generation, epoch, counter, rotated_at, created_at, used_at, expires_at, address,
--          agent, registration (of its client), auth_time (of its user, in seconds; or ''); or, once it has ended, only `ended`: why. A browser session, which
--          has no scopes, has auth_at, too, if the password was shown again, and its counter is that of cookies
-- grant:   a session within a browser session, `browser~grant` by its id and by its key. It lives only while both do;
--          generation and absolute end are the browser session's. It is in no index but that session's own
-- index:   session ids by their end if they are not used
-- grants:  the same of one browser session; its key is that session's and `~`
-- living:  the same of all users, only for counting
-- Times are milliseconds of the server's clock, as those of the workers may differ.

local MARKER_MS = 7200000  -- longer than any access token lives, so that clients learn why

local function clock()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

-- The first write of what must pass even if Redis is full: this may, and then the script may go on.
local function insist(key)
  redis.call('HDEL', key, '')
end

-- The id of a grant's browser session by the grant's id, or its key by the grant's key; nil for any other session.
local function browser_of(grant)
  return string.match(grant, '^(.*)~')
end

local function keep(sid, ends)
  if browser_of(sid) then return redis.call('ZADD', browser_of(KEYS[3]) .. '~', ends, sid) end
  redis.call('ZADD', KEYS[2], ends, sid)
  redis.call('ZADD', KEYS[4], ends, sid)
end

local function forget(sid)
  if browser_of(sid) then return redis.call('ZREM', browser_of(KEYS[3]) .. '~', sid) end
  redis.call('ZREM', KEYS[2], sid)
  redis.call('ZREM', KEYS[4], sid)
end

-- Lets the browser session of a grant that is used live on.
local function use_browser(browser, sid, now, ends)
  redis.call('HSET', browser, 'used_at', now)
  redis.call('PEXPIREAT', browser, ends)
  keep(sid, ends)
end

-- A full Redis refuses the reason, but never the end.
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
