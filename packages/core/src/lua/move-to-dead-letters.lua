#!lua flags=allow-oom
-- Moves one complete message from the consumer's pending list into the group's dead letters.
-- KEYS  1 stream, 2 dead-letter stream
-- ARGV  1 group, 2 consumer, 3 id, 4 reason, 5 error text
-- Returns [1, id of the dead letter] · [0] not this consumer's (any more) · [-1] trimmed: deleted from the stream
--       before; it is acknowledged, because its contents no longer exist.
-- Cost  O(payload): XPENDING, XRANGE, XADD, XACK. allow-oom, because a full server must not refuse dead letters.
-- One   because neither a crash nor an error may leave the message in both lists or in none. XADD comes before XACK:
--       Lua does not roll back, and an XADD that fails must leave the message pending.
-- @include assure-right
local key, dead, group, consumer, id = KEYS[1], KEYS[2], ARGV[1], ARGV[2], ARGV[3]
local pending = redis.call('XPENDING', key, group, id, id, 1, consumer)[1]
if not pending then return {0} end
local entry = redis.call('XRANGE', key, id, id)[1]
if not entry then
  redis.call('XACK', key, group, id)
  return {-1}
end
local time = redis.call('TIME')
local letter = entry[2]
-- Always these six pairs, always last: a redrive removes exactly them, whatever the names of the message's own fields.
for _, text in ipairs({
  'dead.id', id,
  'dead.consumer', consumer,
  'dead.deliveries', string.format('%.0f', pending[4]),
  'dead.reason', ARGV[4],
  'dead.error', ARGV[5],
  'dead.at', string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000)),
}) do
  letter[#letter + 1] = text
end
assureRight('XACK', key, group, id)
local deadId = redis.call('XADD', dead, '*', unpack(letter))
redis.call('XACK', key, group, id)
return {1, deadId}
