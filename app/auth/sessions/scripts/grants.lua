-- Lists the living grants of the browser sessions ARGV, {grant, client} each; of all in the index, if none is named.
local sids = ARGV
if #sids == 0 then sids = redis.call('ZRANGE', KEYS[2], 0, -1) end
local prefix, found, now = KEYS[3], {}, clock()
for _, sid in ipairs(sids) do
  for _, grant in ipairs(redis.call('ZRANGEBYSCORE', prefix .. sid .. '~', now, '+inf')) do
    local client = redis.call('HGET', prefix .. grant, 'client')
    if client then found[#found + 1] = {grant, client} end
  end
end
return found
