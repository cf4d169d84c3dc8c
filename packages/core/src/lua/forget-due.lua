-- Drops the times of messages that are not defer any more; one that was deferred again meanwhile keeps its new time.
-- KEYS  1 due (sorted set: id, and when it is due in server milliseconds)
-- ARGV  pairs of id and the time that was seen
-- Returns how many were dropped.
-- Cost  O(ids × log of the set): one ZMSCORE, one ZREM.
-- One   because a new time that is written between look and removal would be lost, and its message with it for long.
local ids = {}
for index = 1, #ARGV, 2 do ids[#ids + 1] = ARGV[index] end
local times = redis.call('ZMSCORE', KEYS[1], unpack(ids))
local unchanged = {}
for index, id in ipairs(ids) do
  if times[index] and tonumber(times[index]) == tonumber(ARGV[2 * index]) then unchanged[#unchanged + 1] = id end
end
if #unchanged == 0 then return 0 end
return redis.call('ZREM', KEYS[1], unpack(unchanged))
