-- Acknowledges the ids that the consumer still owns, and deletes those entries that no group needs any more: every
-- group has read past them, and none has them pending.
-- KEYS  1 stream
-- ARGV  1 group, 2 consumer, 3… ids, ascending
-- Returns one integer per id: 1 acknowledged and deleted, 2 acknowledged and kept for another group, 0 not this
--       consumer's (any more).
-- Cost  O(ids × groups).
-- One   because a group that reads, or is created, between the check and XDEL would miss an entry.
-- @include assure-right
-- @include owned
-- @include entry-id
local key, group, consumer = KEYS[1], ARGV[1], ARGV[2]

local others = {}
for _, info in ipairs(redis.call('XINFO', 'GROUPS', key)) do
  local named = {}
  for index = 1, #info, 2 do named[info[index]] = info[index + 1] end
  if named['name'] ~= group then
    others[#others + 1] = {name = named['name'], lastDeliveredId = named['last-delivered-id']}
  end
end
local function isNeeded(id)
  for _, other in ipairs(others) do
    if isAfter(id, other.lastDeliveredId) then return true end
    if #redis.call('XPENDING', key, other.name, id, id, 1) > 0 then return true end
  end
  return false
end

local ids = {unpack(ARGV, 3)}
local owned = ownedDeliveries(key, group, consumer, ids)
if next(owned) then assureRight('XDEL', key, ids[1]) end
local reply = {}
for index, id in ipairs(ids) do
  if not owned[id] then
    reply[index] = 0
  else
    redis.call('XACK', key, group, id)
    if isNeeded(id) then
      reply[index] = 2
    else
      redis.call('XDEL', key, id)
      reply[index] = 1
    end
  end
end
return reply
