-- Who holds a lease; false where it is free. A lease ends by the server's clock: after that was set back, one that nobody
-- prolongs would last for hours more. So another's is free that lasts ten times as long as what is asked for. Without the
-- right to PTTL that is not seen, and who asks waits.
local function leaseHolder(key, me, askedMs)
  local holder = redis.call('GET', key)
  if not holder or holder == me then return holder end
  local leftMs = redis.pcall('PTTL', key)
  if type(leftMs) == 'number' and tonumber(askedMs) > 0 and leftMs > 10 * tonumber(askedMs) then return false end
  return holder
end
