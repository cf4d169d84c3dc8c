-- Delivers again, to their own owner, those of the ids that the consumer still owns: delivery count + 1, idle time 0.
-- KEYS  1 stream
-- ARGV  1 group, 2 consumer, 3… ids, ascending
-- Returns two lists: one item [id, deliveries, [field, value, …]] per message, and the vanished ids, which were deleted
--       from the stream (the server drops them from the pending list here). An id in neither list is not this
--       consumer's (any more).
-- Cost  O(ids and their payloads), one XPENDING and one XCLAIM.
-- One   because a plain XCLAIM would take back what another consumer has claimed meanwhile. It is a claim and not a
--       history read, because history reads count deliveries in memory only: a failover would forget them.
-- @include owned
local key, group, consumer = KEYS[1], ARGV[1], ARGV[2]
local ids = {unpack(ARGV, 3)}
local owned = ownedDeliveries(key, group, consumer, ids)
local mine = {}
for _, id in ipairs(ids) do
  if owned[id] then mine[#mine + 1] = id end
end
if #mine == 0 then return {{}, {}} end
local delivered, present = {}, {}
for _, entry in ipairs(redis.call('XCLAIM', key, group, consumer, 0, unpack(mine))) do
  present[entry[1]] = true
  -- A count beyond 2^53 (XNACK FATAL) would not survive the way through a Lua number.
  delivered[#delivered + 1] = {entry[1], math.min(owned[entry[1]] + 1, 9007199254740991), entry[2]}
end
local vanished = {}
for _, id in ipairs(mine) do
  if not present[id] then vanished[#vanished + 1] = id end
end
return {delivered, vanished}
