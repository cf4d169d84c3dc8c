-- Removes a consumer from its group and from the registry, unless messages are pending for it. One that removes itself
-- leaves the registry in any case: it is gone, and nobody need wait for its lease to run out. What it told last is kept
-- for a while, because who counts a group's work would miss what it did since its last heartbeat.
-- KEYS  1 stream, 2 registry, 3 finalReports (stream)
-- ARGV  1 group, 2 consumer, 3 "silent" to refuse as well while its heartbeat is fresh, "" otherwise,
--       4 a last registry field's JSON object without "at"; "" when it says nothing, 5 the time of its heartbeat that the
--       caller has watched stand still, "" where it has not: then the date of the heartbeat does not matter
-- Returns "removed" · "pending" · "alive" · "reserved": it is no consumer, but a name that every group needs.
-- Cost  O(1).
-- One   because XGROUP DELCONSUMER drops the consumer's pending list: a message delivered after the look would be lost.
-- @include assure-right
-- @include clock
-- @include registry
local key, registry, group, consumer = KEYS[1], KEYS[2], ARGV[1], ARGV[2]
if consumer == 'rb:released' or consumer == 'rb:later' then return 'reserved' end
if ARGV[3] == 'silent' and isStillAlive(registration(registry, consumer), nowMs(), ARGV[5]) then return 'alive' end
if ARGV[4] ~= '' then
  local told = '{"at":' .. string.format('%.0f', nowMs()) .. ',' .. ARGV[4]:sub(2)
  -- Without effect on a server that is full: leaving matters more.
  redis.pcall('XADD', KEYS[3], 'MAXLEN', '~', 100, '*', 'consumer', consumer, 'told', told)
end
local isPending = #redis.call('XPENDING', key, group, '-', '+', 1, consumer) > 0
-- Another's registration goes only with its name: without it, it would look like a foreign consumer that is alive.
if ARGV[3] == 'silent' and not isPending then assureRight('XGROUP', 'DELCONSUMER', key, group, consumer) end
if ARGV[3] ~= 'silent' or not isPending then redis.call('HDEL', registry, consumer) end
if isPending then return 'pending' end
redis.call('XGROUP', 'DELCONSUMER', key, group, consumer)
return 'removed'
