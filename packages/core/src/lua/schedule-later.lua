#!lua flags=allow-oom
-- Stores when deferred messages are due. A release then moves them to "rb:later".
-- KEYS  1 due (sorted set: id, and when it is due in server milliseconds)
-- ARGV  pairs of id and delay in ms
-- Returns how many ids had no time before.
-- Cost  O(ids × log of the set). allow-oom, because a consumer that empties a full server must be able to defer messages.
-- One   because the time is the server's: a local clock may be wrong, and may be another one the next time.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local times = {}
for index = 1, #ARGV, 2 do
  times[index] = string.format('%.0f', now + tonumber(ARGV[index + 1]))
  times[index + 1] = ARGV[index]
end
return redis.call('ZADD', KEYS[1], unpack(times))
