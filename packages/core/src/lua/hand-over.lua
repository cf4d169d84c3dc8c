-- Moves pending messages of a dead consumer to a live one, or to "rb:released". Delivery counts stay.
-- KEYS  1 stream, 2 registry
-- ARGV  1 group, 2 from, 3 to, 4 idle time in ms that an unregistered owner's messages must have, 5 "any" if the
--       target need not be registered, 6 the owner's heartbeat time if the caller has observed that it stopped,
--       otherwise "", 7… ids, ascending
-- Returns [word, moved id, …]: "moved" · "owner-alive" · "target-unknown" · "target-silent"; only with the first
--       anything moves. An id that is not listed no longer belongs to the owner, or was delivered too recently.
-- Cost  O(ids), one XPENDING and one XCLAIM JUSTID.
-- One   because an owner may come back, and a target may die, between the check and the claim.
-- @include owned
-- @include clock
-- @include registry
-- @include hand-over-refusal
local key, group, from, to = KEYS[1], ARGV[1], ARGV[2], ARGV[3]
local refusal, minIdleMs = handOverRefusal(KEYS[2], from, to, ARGV[4], ARGV[5] == 'any', ARGV[6])
if refusal then return {refusal} end
local ids = {unpack(ARGV, 7)}
local owned = ownedDeliveries(key, group, from, ids)
local claim = {key, group, to, string.format('%.0f', minIdleMs)}
for _, id in ipairs(ids) do
  if owned[id] then claim[#claim + 1] = id end
end
if #claim == 4 then return {'moved'} end
claim[#claim + 1] = 'JUSTID'
return {'moved', unpack(redis.call('XCLAIM', unpack(claim)))}
