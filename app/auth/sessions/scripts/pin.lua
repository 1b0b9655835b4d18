-- Pins the session of an opaque token for a while, unless it has ended. It is not confirmed: its first check asks
-- MongoDB, so that an end which came meanwhile is not missed. It is in no index: lists and limits leave it out.
local client, registration, scopes, generation, created_at, expires_at, pinned_ms = unpack(ARGV)
local session = KEYS[3]
if redis.call('HEXISTS', session, 'ended') == 1 then return {'ended'} end
redis.call('HSET', session, 'client', client, 'registration', registration, 'scopes', scopes,
  'generation', generation, 'epoch', '', 'created_at', created_at, 'expires_at', expires_at)
redis.call('PEXPIREAT', session, math.min(clock() + tonumber(pinned_ms), tonumber(expires_at)))
return {'ok'}
