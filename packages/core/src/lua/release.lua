-- Moves the ids that one name still owns to another name: to "rb:released", where any consumer may take them, to
-- "rb:later", where they wait until they are due, and from there on.
-- KEYS  1 stream
-- ARGV  1 group, 2 from, 3 to (the same name only changes the count), 4 how many of the ids were never offered,
--       5… those ids, ascending, then the ids that were offered, ascending
-- Returns [moved, [trimmed id, …]]. The delivery count of a message that was never offered is decremented, the count of
--       the others stays. Trimmed ids were deleted from the stream; the server drops them from the pending list here.
-- Cost  O(ids): one XPENDING per list, one XCLAIM JUSTID for offered messages, and one per distinct delivery count of
--       the others. No IDLE: Redis 8.6 walks the pending list of the whole group for each message that gets one.
-- One   because a plain XCLAIM would take messages back that another consumer has claimed meanwhile.
-- @include owned
local key, group, from, to = KEYS[1], ARGV[1], ARGV[2], ARGV[3]
local neverOffered = tonumber(ARGV[4])
local moved, trimmed = 0, {}

local function move(ids, options)
  local claim = {key, group, to, 0, unpack(ids)}
  for _, option in ipairs(options) do claim[#claim + 1] = option end
  local present = {}
  for _, id in ipairs(redis.call('XCLAIM', unpack(claim))) do
    present[id] = true
    moved = moved + 1
  end
  for _, id in ipairs(ids) do
    if not present[id] then trimmed[#trimmed + 1] = id end
  end
end

local unseen = {unpack(ARGV, 5, 4 + neverOffered)}
local owned = ownedDeliveries(key, group, from, unseen)
local byDeliveries = {}
for _, id in ipairs(unseen) do
  local deliveries = owned[id]
  if deliveries then
    byDeliveries[deliveries] = byDeliveries[deliveries] or {}
    table.insert(byDeliveries[deliveries], id)
  end
end
for deliveries, ids in pairs(byDeliveries) do
  -- As text, and within 2^53: a count as large as that of XNACK FATAL is sent as 9e+18 by Lua, and refused.
  local count = string.format('%.0f', math.min(math.max(deliveries - 1, 0), 9007199254740991))
  move(ids, {'RETRYCOUNT', count, 'JUSTID'})
end

local offered = {unpack(ARGV, 5 + neverOffered)}
owned = ownedDeliveries(key, group, from, offered)
local mine = {}
for _, id in ipairs(offered) do
  if owned[id] then mine[#mine + 1] = id end
end
if #mine > 0 then move(mine, {'JUSTID'}) end
return {moved, trimmed}
