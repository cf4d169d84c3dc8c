#!lua flags=allow-oom
-- Keeps a lease holder's state and what it is about to do, unless the lease is not its own any more.
-- KEYS  1 lease, 2 hash of term and state, 3 log (stream)
-- ARGV  1 holder, 2 its term, 3 state, 4 how many entries the log is cut to, about, 5… fields and values of an entry; none:
--       nothing is logged
-- Returns 1 kept · 0 the lease has run out, or is another's or another term's: nothing was written.
-- Cost  O(size of the state). allow-oom, because what is done is to be told on a full server, too.
-- One   because a holder that was overtaken between look and write would overwrite what the next one knows.
-- @include assure-right
local lease, kept, log = KEYS[1], KEYS[2], KEYS[3]
if redis.call('GET', lease) ~= ARGV[1] or redis.call('HGET', kept, 'term') ~= ARGV[2] then return 0 end
if #ARGV > 4 then assureRight('XADD', log, '*', 'f', 'v') end
redis.call('HSET', kept, 'state', ARGV[3])
if #ARGV > 4 then redis.call('XADD', log, 'MAXLEN', '~', ARGV[4], '*', unpack(ARGV, 5)) end
return 1
