-- Removes a consumer from its group and from the registry, unless messages are pending for it. One that removes itself
-- leaves the registry in any case: it is gone, and nobody need wait for its lease to expire. Its final report is kept for
-- a while, because the scaler would otherwise miss the work since its last heartbeat.
-- KEYS  1 stream, 2 registry, 3 finalReports (stream); the last two may be left out: only the group is touched then
-- ARGV  1 group, 2 consumer, 3 "silent" to also refuse while its heartbeat is fresh, "" otherwise,
--       4 the JSON object of a final registry field without "at", "" if none, 5 its heartbeat time if the caller has
--       observed that it stopped, otherwise "": then the time of the heartbeat does not matter
-- Returns "removed" · "pending" · "alive" · "reserved": not a consumer, but a name that every group needs.
-- Cost  O(1).
-- One   because XGROUP DELCONSUMER drops the consumer's pending list: a message delivered after the check would be lost.
-- @include assure-right
-- @include clock
-- @include registry
local key, registry, group, consumer = KEYS[1], KEYS[2], ARGV[1], ARGV[2]
if consumer == 'rb:released' or consumer == 'rb:later' then return 'reserved' end
if registry and ARGV[3] == 'silent' and isStillAlive(registration(registry, consumer), nowMs(), ARGV[5]) then return 'alive' end
if registry and ARGV[4] ~= '' then
  local told = '{"at":' .. string.format('%.0f', nowMs()) .. ',' .. ARGV[4]:sub(2)
  -- Skipped on a full server: leaving matters more.
  redis.pcall('XADD', KEYS[3], 'MAXLEN', '~', 100, '*', 'consumer', consumer, 'told', told)
end
local isPending = #redis.call('XPENDING', key, group, '-', '+', 1, consumer) > 0
-- Another consumer's registration is removed only with its name: otherwise it would look like a live foreign consumer.
if ARGV[3] == 'silent' and not isPending then assureRight('XGROUP', 'DELCONSUMER', key, group, consumer) end
if registry and (ARGV[3] ~= 'silent' or not isPending) then
  redis.call('HDEL', registry, consumer)
  if redis.call('HGET', registry, 'rb:alone') == consumer then redis.call('HDEL', registry, 'rb:alone') end
end
if isPending then return 'pending' end
-- One's own registration is removed even without the right to remove the name.
assureRight('XGROUP', 'DELCONSUMER', key, group, consumer)
redis.call('XGROUP', 'DELCONSUMER', key, group, consumer)
return 'removed'
