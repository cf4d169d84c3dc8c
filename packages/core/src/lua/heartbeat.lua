#!lua flags=allow-oom
-- Writes a consumer's heartbeat, stamped with the server's time, into the group's registry.
-- KEYS  1 registry
-- ARGV  1 consumer, 2 incarnation, 3 "join" for the first heartbeat of an incarnation, "" for the next ones, 4 maximum age
--       in ms of another incarnation's fresh heartbeat, 5 the time of such a heartbeat if the caller has observed that it
--       stopped, otherwise "": that one is not fresh, whatever its time, 6 the field's JSON object without "at"
-- Returns [word, server time in ms, detail]:
--       "ok" · "in-use" (join: another incarnation uses this name; detail: the time of its last heartbeat) ·
--       "replaced" (heartbeat: another incarnation has taken the name). Only with the first anything is written.
-- Cost  O(1). allow-oom, because a consumer that empties a full server must not look dead.
-- One   because two processes that start with the same name must not both find it free.
-- @include clock
-- @include registry
local registry, consumer, incarnation = KEYS[1], ARGV[1], ARGV[2]
local now = nowMs()
local known = registration(registry, consumer)
if known and known.incarnation ~= incarnation then
  if ARGV[3] ~= 'join' then return {'replaced', now, ''} end
  -- A heartbeat from the future is fresh as well: the clock has jumped, and only observation shows whether it still changes.
  local isFresh = now - known.at <= tonumber(ARGV[4])
  if isFresh and known.at ~= tonumber(ARGV[5]) then return {'in-use', now, string.format('%.0f', known.at)} end
end
-- Inserted as text: decoding and encoding with cjson would round large counters.
redis.call('HSET', registry, consumer, '{"at":' .. string.format('%.0f', now) .. ',' .. ARGV[6]:sub(2))
return {'ok', now, ''}
