-- Lists the living grants of a browser session, {grant, client} each; of all that are in the index, without one.
local sids = {ARGV[1]}
if ARGV[1] == '' then sids = redis.call('ZRANGE', KEYS[2], 0, -1) end
local prefix, found, now = KEYS[3], {}, clock()
for _, sid in ipairs(sids) do
  for _, grant in ipairs(redis.call('ZRANGEBYSCORE', prefix .. sid .. '~', now, '+inf')) do
    local client = redis.call('HGET', prefix .. grant, 'client')
    if client then found[#found + 1] = {grant, client} end
  end
end
return found
