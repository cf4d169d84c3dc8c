-- Deletes the oldest entries of a stream that every group has finished with: read past, and not pending.
-- KEYS  1 stream
-- ARGV  1 "trim", or "look" to change nothing
-- Returns [safe id, group that needs it, deleted]: no group needs an entry before the safe id. [] without any group:
--       then no entry counts as finished.
-- Cost  O(groups), and what one XTRIM MINID ~ may delete, 10,000 entries; call it again until it deletes none.
-- One   because a group that is created, or moved back, between check and trim would miss entries.
-- @include entry-id
local key = KEYS[1]
local safeId, pinnedBy
for _, info in ipairs(redis.call('XINFO', 'GROUPS', key)) do
  local named = {}
  for index = 1, #info, 2 do named[info[index]] = info[index + 1] end
  local needed = named['last-delivered-id']
  local first = redis.call('XPENDING', key, named['name'], '-', '+', 1)[1]
  -- A group that was moved back has both: pending messages, and messages that it reads again.
  if first and isAfter(needed, first[1]) then needed = first[1] end
  if not safeId or isAfter(safeId, needed) then safeId, pinnedBy = needed, named['name'] end
end
if not safeId then return {} end
if ARGV[1] ~= 'trim' then return {safeId, pinnedBy, 0} end
return {safeId, pinnedBy, redis.call('XTRIM', key, 'MINID', '~', safeId)}
