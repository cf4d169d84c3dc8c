#!lua flags=allow-oom
-- Writes a consumer's heartbeat, stamped with the server's time, into the group's registry.
-- KEYS  1 registry
-- ARGV  1 consumer, 2 incarnation, 3 "join" for the first heartbeat of an incarnation, "" for the next ones, 4 maximum age
--       in ms of another incarnation's fresh heartbeat, 5 the time of such a heartbeat if the caller has observed that it
--       stopped, otherwise "": that one is not fresh, whatever its time, 6 the field's JSON object without "at",
--       7 who may be in the group beside this consumer: "nobody", others that say the same ("ordered", "unordered"), or ""
--       for all, 8… pairs of another consumer and the time of its heartbeat, if the caller has observed that it stopped:
--       that one is dead, whatever its time
-- Returns [word, server time in ms, detail, rate]:
--       "ok" (detail: the pause of the group, rate: its rate; "" if there is none) · "in-use" (join: another incarnation uses this name; detail: the time of its last heartbeat) ·
--       "replaced" (heartbeat: another incarnation has taken the name) · "occupied" (others are
--       there that may not be beside this one; detail: name, heartbeat time and lease of each in the way). Only with the first anything is written.
-- Cost  O(1), and O(consumers) when one joins that others may not be beside. allow-oom, because a consumer that empties a full server
--       must not look dead.
-- One   because two processes that start with the same name must not both find it free, nor two that must be alone.
-- @include clock
-- @include pause
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
-- The one that must be alone, by name, and what others have agreed on, in fields that no consumer can have.
local beside, holder, agreed = ARGV[7], redis.call('HGET', registry, 'rb:alone'), redis.call('HGET', registry, 'rb:beside')
local isAlone = beside == 'nobody'
local isNew = not isAlone and beside ~= '' and beside ~= agreed
if holder ~= (isAlone and consumer) or isNew then
  local seenAt, names, inTheWay = {}, {}, {}
  for index = 8, #ARGV, 2 do seenAt[ARGV[index]] = ARGV[index + 1] end
  if isAlone or isNew then
    local fields = redis.call('HGETALL', registry)
    for index = 1, #fields, 2 do names[#names + 1] = fields[index] end
  elseif holder then
    names = {holder}
  end
  for _, name in ipairs(names) do
    local other = name ~= consumer and registration(registry, name) or nil
    if isStillAlive(other, now, seenAt[name] or '') then
      for _, word in ipairs({name, string.format('%.0f', other.at), string.format('%.0f', other.leaseMs)}) do
        inTheWay[#inTheWay + 1] = word
      end
    end
  end
  if #inTheWay > 0 then return {'occupied', now, inTheWay} end
  if isAlone then redis.call('HSET', registry, 'rb:alone', consumer) else redis.call('HDEL', registry, 'rb:alone') end
  if isNew then redis.call('HSET', registry, 'rb:beside', beside) end
end
-- Inserted as text: decoding and encoding with cjson would round large counters.
redis.call('HSET', registry, consumer, '{"at":' .. string.format('%.0f', now) .. ',' .. ARGV[6]:sub(2))
return {'ok', now, pauseOf(registry, now), redis.call('HGET', registry, 'rb:rate') or ''}
