-- Adds a message unless one was already added under the same idempotency key.
-- KEYS  1 stream, 2 idempotency key
-- ARGV  1 how long the key is remembered in ms, 2… the arguments after the stream's name in XADD
-- Returns [id, 1 added | 0 already existed].
-- Cost  O(payload): GET, XADD, SET.
-- One   because two retries of one message must not both find the key missing. SET comes last, after the check that it
--       is allowed: a refused message was not added.
-- A key that is known is written again, unchanged: a WAIT that follows covers only what its own connection has written.
-- @include assure-right
assureRight('SET', KEYS[2], '', 'PX', ARGV[1])
local known = redis.call('GET', KEYS[2])
if known then
  redis.call('SET', KEYS[2], known, 'KEEPTTL')
  return {known, 0}
end
local id = redis.call('XADD', KEYS[1], unpack(ARGV, 2))
redis.call('SET', KEYS[2], id, 'PX', ARGV[1])
return {id, 1}
