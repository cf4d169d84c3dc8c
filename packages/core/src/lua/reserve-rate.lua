#!lua flags=allow-oom
-- Reserves time for messages that a consumer is about to offer, within the rate of the whole group. Each message takes the
-- time that it has at this rate, and who asks first is served first: so the rate is shared by all, however many ask.
-- KEYS  1 registry
-- ARGV  1 number of messages; 0 only asks for the limit, and below 0 returns the time of messages that will not be offered, 2 the caller's limit as JSON, which becomes the group's if it has
--       none; "": it has none
-- Returns [ms until these messages may be offered, how long they may be offered from then on in ms, the group's limit as
--       JSON, "" if there is none]
-- Cost  O(1). allow-oom, because a full server needs consumers that empty it.
-- One   because two consumers must not be given the same time.
-- @include clock
local registry, count, own, now = KEYS[1], tonumber(ARGV[1]), ARGV[2], nowMs()
local limit = redis.call('HGET', registry, 'rb:rate')
if not limit then
  if own == '' then return {0, 0, ''} end
  limit = own
  redis.call('HSET', registry, 'rb:rate', limit)
end
if count == 0 then return {0, 0, limit} end
local readable, rate = pcall(cjson.decode, limit)
if not readable or type(rate) ~= 'table' then return {0, 0, ''} end
local messages, perMs = tonumber(rate.messages), tonumber(rate.perMs)
if not messages or not perMs or messages <= 0 or perMs <= 0 then return {0, 0, ''} end
local paid, seen = string.match(redis.call('HGET', registry, 'rb:rate-paid') or '', '^(%S+) (%S+)$')
paid, seen = tonumber(paid) or now, tonumber(seen) or now
-- The clock was set back: what is paid for stays as far ahead as it was.
if seen > now then paid = paid - (seen - now) end
local begins = math.max(paid, now)
local takes = count * perMs / messages
redis.call('HSET', registry, 'rb:rate-paid', string.format('%.3f %.0f', math.max(begins + takes, now), now))
return {math.ceil(begins - now), math.ceil(takes), limit}
