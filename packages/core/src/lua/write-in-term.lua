#!lua flags=allow-oom
-- Stores a lease holder's state and its next action, unless it no longer holds the lease.
-- KEYS  1 lease, 2 hash of term and state, 3 log (stream)
-- ARGV  1 holder, 2 its term, 3 state, 4 approximate maximum entries of the log, 5… fields and values of an entry; none:
--       nothing is logged
-- Returns 1 stored · 0 the lease has expired, or belongs to another holder or term: nothing was written.
-- Cost  O(size of the state). allow-oom, because actions must be logged on a full server as well.
-- One   because a holder that was replaced between check and write would overwrite the state of the next one.
-- @include assure-right
local lease, kept, log = KEYS[1], KEYS[2], KEYS[3]
if redis.call('GET', lease) ~= ARGV[1] or redis.call('HGET', kept, 'term') ~= ARGV[2] then return 0 end
if #ARGV > 4 then assureRight('XADD', log, '*', 'f', 'v') end
redis.call('HSET', kept, 'state', ARGV[3])
if #ARGV > 4 then redis.call('XADD', log, 'MAXLEN', '~', ARGV[4], '*', unpack(ARGV, 5)) end
return 1
