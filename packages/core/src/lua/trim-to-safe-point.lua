-- Drops entries from the old end of a stream that every group is done with: read past, and not pending.
-- KEYS  1 stream
-- ARGV  1 "trim", or "look" to change nothing
-- Returns [safe id, group that needs it, dropped]: everything before the safe id is done with. [] without any group:
--       then nobody has said that an entry is not needed.
-- Cost  O(groups), and as much as one XTRIM MINID ~ may drop, 10,000 entries; called again until it drops none.
-- One   because a group that is created, or set back, between look and trim would find a hole.
-- @include entry-id
local key = KEYS[1]
local safeId, pinnedBy
for _, info in ipairs(redis.call('XINFO', 'GROUPS', key)) do
  local named = {}
  for index = 1, #info, 2 do named[info[index]] = info[index + 1] end
  local needed = named['last-delivered-id']
  local first = redis.call('XPENDING', key, named['name'], '-', '+', 1)[1]
  -- A group that was set back has both: what is pending, and what it reads again.
  if first and isAfter(needed, first[1]) then needed = first[1] end
  if not safeId or isAfter(safeId, needed) then safeId, pinnedBy = needed, named['name'] end
end
if not safeId then return {} end
if ARGV[1] ~= 'trim' then return {safeId, pinnedBy, 0} end
return {safeId, pinnedBy, redis.call('XTRIM', key, 'MINID', '~', safeId)}
