-- A consumer's registry field as a table, or nil if it has no readable one.
local function registration(registry, consumer)
  local field = redis.call('HGET', registry, consumer)
  if not field then return nil end
  local readable, decoded = pcall(cjson.decode, field)
  if not readable or type(decoded) ~= 'table' then return nil end
  if type(decoded.at) ~= 'number' or type(decoded.leaseMs) ~= 'number' then return nil end
  return decoded
end

-- Whether a registered consumer has sent a heartbeat within its own lease.
local function isAlive(registered, now)
  return registered ~= nil and now - registered.at <= registered.leaseMs
end

-- The same for a caller that has observed its heartbeat stop at seenAt, otherwise "". The observation counts, not the
-- clock, which may have jumped: the consumer is dead as long as the heartbeat has not changed since.
local function isStillAlive(registered, now, seenAt)
  if registered and seenAt ~= '' then return registered.at ~= tonumber(seenAt) end
  return isAlive(registered, now)
end
