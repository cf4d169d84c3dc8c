#!lua flags=allow-oom
-- Pauses a group for all of its consumers, or resumes it. They see it in the reply to their next heartbeat.
-- KEYS  1 registry
-- ARGV  1 the pause's JSON object without "at" and "until"; "" resumes the group, 2 how long it lasts in ms, "" until it
--       is resumed
-- Returns [server time in ms, the pause before, the pause now]; "" where there is none.
-- Cost  O(1). allow-oom, because a full server is a reason to pause, and its consumers must be able to go on afterwards.
-- One   because a pause lasts by the server's clock, and the caller gets the pause that it replaced or ended.
-- @include clock
-- @include pause
local registry, now = KEYS[1], nowMs()
local before = pauseOf(registry, now)
if ARGV[1] == '' then
  redis.call('HDEL', registry, 'rb:pause')
  return {now, before, ''}
end
local ending = ARGV[2] == '' and '' or string.format('"until":%.0f,', now + tonumber(ARGV[2]))
local pause = string.format('{"at":%.0f,', now) .. ending .. ARGV[1]:sub(2)
redis.call('HSET', registry, 'rb:pause', pause)
return {now, before, pause}
