#!lua flags=allow-oom
-- Sets the rate of the whole group, or removes it.
-- KEYS  1 registry
-- ARGV  1 the limit as JSON, or an object without one: then there is none, and options of consumers set none
-- Returns the limit before, "" if there was none.
-- Cost  O(1). allow-oom, because a full server may need a higher rate.
-- One   because what is paid for at one rate means nothing at another, and the caller gets the limit that it replaced.
local before = redis.call('HGET', KEYS[1], 'rb:rate') or ''
if ARGV[1] ~= before then
  redis.call('HDEL', KEYS[1], 'rb:rate-paid')
  redis.call('HSET', KEYS[1], 'rb:rate', ARGV[1])
end
return before
