-- Moves the next page of a dead consumer's pending messages to a live one, or to "rb:released", and clears those whose
-- entries were deleted from the stream. Delivery counts stay.
-- KEYS  1 stream, 2 registry
-- ARGV  1 group, 2 from, 3 to, 4 idle time in ms that an unregistered owner's messages must have, 5 "any" if the
--       target need not be registered, 6 the owner's heartbeat time if the caller has observed that it stopped,
--       otherwise "", 7 where the page begins: "-" or "(id", 8 messages per page
-- Returns ["moved", last id of the page or "", moved, delivered too recently, cleared] · ["owner-alive"] ·
--       ["target-unknown"] · ["target-silent"]; only with the first anything moves.
-- Cost  O(page), one XPENDING and one XCLAIM JUSTID.
-- One   because an owner may come back, and a target may die, between the check and the claim; and because no other
--       client can claim in between, an entry that is claimed and does not move was certainly deleted.
-- @include clock
-- @include registry
-- @include hand-over-refusal
local key, group, from, to = KEYS[1], ARGV[1], ARGV[2], ARGV[3]
local refusal, minIdleMs = handOverRefusal(KEYS[2], from, to, ARGV[4], ARGV[5] == 'any', ARGV[6])
if refusal then return {refusal} end
local page = redis.call('XPENDING', key, group, ARGV[7], '+', ARGV[8], from)
if #page == 0 then return {'moved', '', 0, 0, 0} end
-- The idle times were already checked, so the claim need not check them.
local claim = {key, group, to, 0}
local ripe = 0
for index = 1, #page do
  local item = page[index]
  -- An entry that was released by XNACK has no idle time, and may be taken at once.
  if item[3] < 0 or item[3] >= minIdleMs then
    ripe = ripe + 1
    claim[4 + ripe] = item[1]
  end
end
local moved = 0
if ripe > 0 then
  claim[5 + ripe] = 'JUSTID'
  moved = #redis.call('XCLAIM', unpack(claim))
end
return {'moved', page[#page][1], moved, #page - ripe, ripe - moved}
