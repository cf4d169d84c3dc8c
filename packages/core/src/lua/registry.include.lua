local function nowMs()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end

-- A consumer's registry field as a table, or nil where it has none that can be read.
local function registration(registry, consumer)
  local field = redis.call('HGET', registry, consumer)
  if not field then return nil end
  local readable, decoded = pcall(cjson.decode, field)
  if readable and type(decoded) == 'table' and decoded.at and decoded.leaseMs then return decoded end
  return nil
end

-- Whether a registered consumer was heard of within its own lease.
local function isAlive(registered, now)
  return registered ~= nil and now - registered.at <= registered.leaseMs
end
