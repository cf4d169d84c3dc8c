-- Acknowledges the ids that the consumer still owns.
-- KEYS  1 stream
-- ARGV  1 group, 2 consumer, 3… ids, ascending
-- Returns one integer per id: 1 acknowledged, 0 not this consumer's (any more).
-- Cost  O(ids), one XPENDING and one XACK. About four times a plain XACK.
-- One   because another consumer could claim a message between the check and XACK, and would lose it to us.
-- @include owned
local key, group, consumer = KEYS[1], ARGV[1], ARGV[2]
local ids = {unpack(ARGV, 3)}
local owned = ownedDeliveries(key, group, consumer, ids)
local mine, reply = {}, {}
for index, id in ipairs(ids) do
  if owned[id] then
    mine[#mine + 1] = id
    reply[index] = 1
  else
    reply[index] = 0
  end
end
if #mine > 0 then redis.call('XACK', key, group, unpack(mine)) end
return reply
