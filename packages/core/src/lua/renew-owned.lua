-- Renews the lease of the ids that the consumer still owns: their idle time is reset to 0.
-- KEYS  1 stream
-- ARGV  1 group, 2 consumer, 3… ids, ascending
-- Returns one integer per id: 1 kept, 0 taken (no longer this consumer's), -1 trimmed (it was, but the entry was
--       deleted from the stream; the server drops such an id from the pending list here).
-- Cost  O(ids), one XPENDING and one XCLAIM JUSTID. Delivery counts stay.
-- One   because a plain XCLAIM would take messages back that another consumer has claimed meanwhile.
-- @include owned
local key, group, consumer = KEYS[1], ARGV[1], ARGV[2]
local ids = {unpack(ARGV, 3)}
local owned = ownedDeliveries(key, group, consumer, ids)
local mine = {}
for _, id in ipairs(ids) do
  if owned[id] then mine[#mine + 1] = id end
end
local kept = {}
if #mine > 0 then
  local claim = {key, group, consumer, 0, unpack(mine)}
  claim[#claim + 1] = 'JUSTID'
  for _, id in ipairs(redis.call('XCLAIM', unpack(claim))) do kept[id] = true end
end
local reply = {}
for index, id in ipairs(ids) do
  reply[index] = kept[id] and 1 or owned[id] and -1 or 0
end
return reply
