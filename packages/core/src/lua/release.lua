-- Gives back those of the ids that the consumer still owns: they stay in its pending list, but look idle for so long
-- that any claimer may take them at once.
-- KEYS  1 stream
-- ARGV  1 group, 2 consumer, 3 idle time to set in ms (past the lease), 4 how many of the ids were never offered,
--       5… those ids, ascending, then the ids that were offered, ascending
-- Returns how many were given back. A message that was never offered gets its delivery count back (- 1).
-- Cost  O(ids), one XPENDING and one XCLAIM per list and distinct delivery count.
-- One   because a plain XCLAIM would take back what another consumer has claimed meanwhile.
-- @include owned
local key, group, consumer, idleMs = KEYS[1], ARGV[1], ARGV[2], ARGV[3]
local neverOffered = tonumber(ARGV[4])
local released = 0

local function giveBack(ids, countBack)
  local owned = ownedDeliveries(key, group, consumer, ids)
  local byDeliveries = {}
  for _, id in ipairs(ids) do
    local deliveries = owned[id]
    if deliveries then
      byDeliveries[deliveries] = byDeliveries[deliveries] or {}
      table.insert(byDeliveries[deliveries], id)
    end
  end
  for deliveries, mine in pairs(byDeliveries) do
    local claim = {key, group, consumer, 0, unpack(mine)}
    -- As text, and within 2^53: a Lua number as large as a count can be (XNACK FATAL) is sent as 9e+18, and refused.
    local count = string.format('%.0f', math.min(math.max(deliveries - countBack, 0), 9007199254740991))
    for _, option in ipairs({'IDLE', idleMs, 'RETRYCOUNT', count, 'JUSTID'}) do
      claim[#claim + 1] = option
    end
    released = released + #redis.call('XCLAIM', unpack(claim))
  end
end

giveBack({unpack(ARGV, 5, 4 + neverOffered)}, 1)
giveBack({unpack(ARGV, 5 + neverOffered)}, 0)
return released
