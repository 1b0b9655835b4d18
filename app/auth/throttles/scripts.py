"""Scripts for steps that must be one in Redis, so that no crash leaves a counter without an end."""

from app.database.redis_connection import Script

_CLOCK = """
local function clock()
    local time = redis.call("TIME")
    return time[1] * 1000 + math.floor(time[2] / 1000)
end
"""

COUNT = Script(
    _CLOCK
    + """
-- ARGV: milliseconds from now after which the failure is forgotten, and the address
local function count(counter)
    redis.call("INCR", counter)
    redis.call("PEXPIRE", counter, ARGV[1])
end
count(KEYS[1])
-- KEYS[2], elsewhere, counts unless the address is known: KEYS[3] says until when each is
if KEYS[2] and tonumber(redis.call("ZSCORE", KEYS[3], ARGV[2]) or 0) <= clock() then
    count(KEYS[2])
end
"""
)
KNOW = Script(
    _CLOCK
    + """
-- KEYS: the known addresses, the failures here. ARGV: the address, for how long, how many are kept
local known, here, now = KEYS[1], KEYS[2], clock()
redis.call("ZADD", known, now + ARGV[2], ARGV[1])
redis.call("ZREMRANGEBYSCORE", known, "-inf", now)
redis.call("ZREMRANGEBYRANK", known, 0, -1 - ARGV[3])
redis.call("PEXPIRE", known, ARGV[2])
local failures = redis.call("GET", here)
redis.call("DEL", here)
return failures
"""
)

GIVE_BACK = Script(
    """
local failures = tonumber(redis.call("GET", KEYS[1]))
if failures then
    redis.call("SET", KEYS[1], math.max(failures - ARGV[1], 0), "KEEPTTL")
end
"""
)
