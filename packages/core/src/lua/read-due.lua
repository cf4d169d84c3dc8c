-- Reads which deferred messages are due now, or within a given time.
-- KEYS  1 due (sorted set: id, and when it is due in server milliseconds)
-- ARGV  1 how many at most, 2 how many of the first to skip, 3 within how many ms from now they must be due
-- Returns two items: the list [id, time, id, time, …], the earliest first, and the ms until the next one that is not
--       due yet, or "".
-- Cost  O(log of the set + ids): two ZRANGE.
-- One   because the time is the server's: due messages and the wait for the next one refer to the same moment.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local text = string.format('%.0f', now + tonumber(ARGV[3]))
local due = redis.call('ZRANGE', KEYS[1], '-inf', text, 'BYSCORE', 'LIMIT', ARGV[2], ARGV[1], 'WITHSCORES')
local following = redis.call('ZRANGE', KEYS[1], '(' .. text, '+inf', 'BYSCORE', 'LIMIT', 0, 1, 'WITHSCORES')
return {due, following[2] and string.format('%.0f', math.ceil(following[2] - now)) or ''}
