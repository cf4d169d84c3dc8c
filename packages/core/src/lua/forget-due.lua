-- Drops the due times of messages that are no longer deferred; one that was deferred again meanwhile keeps its new time.
-- KEYS  1 due (sorted set: id, and when it is due in server milliseconds)
-- ARGV  pairs of id and last known due time
-- Returns how many were dropped.
-- Cost  O(ids × log of the set): one ZMSCORE, one ZREM.
-- One   because a new time that is written between check and removal would be lost, and its message delayed for long.
local ids = {}
for index = 1, #ARGV, 2 do ids[#ids + 1] = ARGV[index] end
local times = redis.call('ZMSCORE', KEYS[1], unpack(ids))
local unchanged = {}
for index, id in ipairs(ids) do
  if times[index] and tonumber(times[index]) == tonumber(ARGV[2 * index]) then unchanged[#unchanged + 1] = id end
end
if #unchanged == 0 then return 0 end
return redis.call('ZREM', KEYS[1], unpack(unchanged))
