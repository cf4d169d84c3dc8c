-- Takes over what is pending in a partition's group under other names, a page at a time, in stream order: the first thing that a
-- new owner does. Deferred messages stay where they are until they are due. Delivery counts stay.
-- KEYS  1 stream, 2 owner
-- ARGV  1 group, 2 member, 3 the token of its ownership, 4 where to begin: an id, "(id" behind one, or "-",
--       5 how many messages to examine
-- Returns [1 the member owns the partition · 0 it does not (any more), and nothing was taken; how many were taken;
--       the last id that was examined, "" at the end of the list]
-- Cost  O(examined), one XPENDING and one XCLAIM JUSTID.
-- One   because what an owner takes after its ownership has ended would be missing in the order of the next one.
-- @include clock
local stream, group, member, limit = KEYS[1], ARGV[1], ARGV[2], tonumber(ARGV[5])
local kept = redis.call('HMGET', KEYS[2], 'member', 'token', 'until')
if kept[1] ~= member or kept[2] ~= ARGV[3] or tonumber(kept[3]) <= nowMs() then return {0, 0, ''} end
local page = redis.call('XPENDING', stream, group, ARGV[4], '+', limit)
local claim, taken = {stream, group, member, 0}, 0
for _, item in ipairs(page) do
  if item[2] ~= member and item[2] ~= 'rb:later' then claim[#claim + 1] = item[1] end
end
if #claim > 4 then
  claim[#claim + 1] = 'JUSTID'
  taken = #redis.call('XCLAIM', unpack(claim))
end
return {1, taken, #page < limit and '' or page[#page][1]}
