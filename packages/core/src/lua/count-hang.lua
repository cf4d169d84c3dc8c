#!lua flags=allow-oom
-- Counts that a handler hung on a message, independent of its deliveries.
-- KEYS  1 hung (sorted set: id, and when a handler hung on it last, in server milliseconds)
-- ARGV  1 id, 2 how long it is remembered in ms
-- Returns 1 the first time, 2 if it hung before.
-- Cost  O(log of the set + expired members). allow-oom, because a message that hangs blocks a handler each time.
-- One   because two consumers that count at the same time must not both see the first time.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('(%.0f', now - tonumber(ARGV[2])))
return redis.call('ZADD', KEYS[1], string.format('%.0f', now), ARGV[1]) == 1 and 1 or 2
