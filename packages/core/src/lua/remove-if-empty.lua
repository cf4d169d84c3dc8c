-- Removes a consumer from its group and from the registry, unless messages are pending for it. One that removes itself
-- leaves the registry in any case: it is gone, and nobody need wait for its lease to run out.
-- KEYS  1 stream, 2 registry
-- ARGV  1 group, 2 consumer, 3 "silent" to refuse as well while its heartbeat is fresh, "" otherwise
-- Returns "removed" · "pending" · "alive".
-- Cost  O(1).
-- One   because XGROUP DELCONSUMER drops the consumer's pending list: a message delivered after the look would be lost.
-- @include registry
local key, registry, group, consumer = KEYS[1], KEYS[2], ARGV[1], ARGV[2]
if ARGV[3] == 'silent' and isAlive(registration(registry, consumer), nowMs()) then return 'alive' end
local isPending = #redis.call('XPENDING', key, group, '-', '+', 1, consumer) > 0
if ARGV[3] ~= 'silent' or not isPending then redis.call('HDEL', registry, consumer) end
if isPending then return 'pending' end
redis.call('XGROUP', 'DELCONSUMER', key, group, consumer)
return 'removed'
