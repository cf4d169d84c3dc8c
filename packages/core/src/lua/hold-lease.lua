#!lua flags=allow-oom
-- Takes a lease that is free, or prolongs one's own.
-- KEYS  1 lease
-- ARGV  1 holder, 2 how long it lasts in ms; 0 gives it up
-- Returns 1 the holder has it (had it, when it is given up), 0 it is somebody else's, or was not the holder's to give up.
-- Cost  O(1). allow-oom, because a full server needs whoever empties it.
-- One   because a lease that runs out between look and write would be taken from its next holder.
-- @include lease-holder
local holder = leaseHolder(KEYS[1], ARGV[1], ARGV[2])
if holder and holder ~= ARGV[1] then return 0 end
if ARGV[2] == '0' then return redis.call('DEL', KEYS[1]) end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
