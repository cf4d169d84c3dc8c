-- Redelivers the ids that the consumer still owns to itself: each with the given delivery count, so that a delivery whose
-- reply was lost is not counted twice; idle time 0.
-- KEYS  1 stream
-- ARGV  1 group, 2 consumer, 3… pairs of id and delivery count, by id ascending
-- Returns two lists: one item [id, deliveries, [field, value, …]] per message, and the trimmed ids, which were deleted
--       from the stream (the server drops them from the pending list here). An id in neither list does not belong to
--       this consumer (any more).
-- Cost  O(ids and their payloads), one XPENDING, and one XCLAIM per distinct count.
-- One   because a plain XCLAIM would take messages back that another consumer has claimed meanwhile. It is a claim, not a
--       history read, because history reads count deliveries in memory only: a failover would forget them.
-- @include owned
local key, group, consumer = KEYS[1], ARGV[1], ARGV[2]
local ids, counts = {}, {}
for index = 3, #ARGV, 2 do
  ids[#ids + 1] = ARGV[index]
  counts[ARGV[index]] = ARGV[index + 1]
end
local owned = ownedDeliveries(key, group, consumer, ids)
local byCount = {}
for _, id in ipairs(ids) do
  if owned[id] then
    local count = counts[id]
    byCount[count] = byCount[count] or {}
    table.insert(byCount[count], id)
  end
end
local fields = {}
for count, mine in pairs(byCount) do
  local claim = {key, group, consumer, 0, unpack(mine)}
  claim[#claim + 1] = 'RETRYCOUNT'
  claim[#claim + 1] = count
  for _, entry in ipairs(redis.call('XCLAIM', unpack(claim))) do fields[entry[1]] = entry[2] end
end
local delivered, trimmed = {}, {}
for _, id in ipairs(ids) do
  if fields[id] then
    delivered[#delivered + 1] = {id, counts[id], fields[id]}
  elseif owned[id] then
    trimmed[#trimmed + 1] = id
  end
end
return {delivered, trimmed}
