#!lua flags=allow-oom
-- Writes a consumer's heartbeat, stamped with the server's time, into the group's registry.
-- KEYS  1 registry
-- ARGV  1 consumer, 2 incarnation, 3 "join" for the first beat of an incarnation, "" for the next ones, 4 lease in ms,
--       5 age in ms up to which another incarnation's beat is fresh, 6 the field's JSON object without "at"
-- Returns [word, server time in ms, detail]:
--       "ok" · "in-use" (join: another incarnation beats under this name) · "replaced" (beat: another incarnation has
--       taken the name) · "lease-mismatch" (join: a living consumer of the group has another lease; detail: its ms).
--       Nothing is written but with the first.
-- Cost  O(1); a join reads the whole registry once. allow-oom, because whoever empties a full server must not seem dead.
-- One   because two processes that start under one name must not both find it free.
-- @include registry
local registry, consumer, incarnation, leaseMs = KEYS[1], ARGV[1], ARGV[2], tonumber(ARGV[4])
local now = nowMs()
local known = registration(registry, consumer)
if ARGV[3] == 'join' then
  if known and known.incarnation ~= incarnation and now - known.at <= tonumber(ARGV[5]) then
    return {'in-use', now, ''}
  end
  for _, name in ipairs(redis.call('HKEYS', registry)) do
    local other = registration(registry, name)
    if name ~= consumer and isAlive(other, now) and other.leaseMs ~= leaseMs then
      return {'lease-mismatch', now, string.format('%.0f', other.leaseMs)}
    end
  end
elseif known and known.incarnation ~= incarnation then
  return {'replaced', now, ''}
end
-- Put in as text: a decode and encode by cjson would round large counters.
redis.call('HSET', registry, consumer, '{"at":' .. string.format('%.0f', now) .. ',' .. ARGV[6]:sub(2))
return {'ok', now, ''}
