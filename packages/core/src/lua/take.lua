-- Delivers released messages to a consumer: moves them from the name "rb:released" to its own, with their bodies, and
-- counts the delivery.
-- KEYS  1 stream
-- ARGV  1 group, 2 consumer, 3 the id to start after, "" for the beginning, 4 how many messages to examine, 5 how many to
--       take at most, 6 bytes of fields and values after which no more are taken, 7 the delivery number from which on a
--       message is a suspect, "" for never, 8 how many suspects to take at most,
--       9… ids that are not wanted
-- Returns three items: a list with one item [id, deliveries, [field, value, …]] per message, the list of the trimmed
--       ids, which were deleted from the stream (the server drops them from the pending list here), and the id
--       after which the next call starts, or "" if the end of the list was reached.
-- Cost  O(examined messages + payload): one XPENDING, and one XCLAIM per message taken. A single XCLAIM for all would not
--       know their sizes before they are in the reply. An empty list costs about a microsecond.
-- One   because two consumers must not take the same message at the same time.
local key, group, consumer, last = KEYS[1], ARGV[1], ARGV[2], ARGV[3]
local scan, count, maxBytes = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
local suspectFrom, suspects = tonumber(ARGV[7]) or math.huge, tonumber(ARGV[8])
local isUnwanted = {}
for index = 9, #ARGV do isUnwanted[ARGV[index]] = true end

local taken, trimmed, bytes = {}, {}, 0
local page = redis.call('XPENDING', key, group, last == '' and '-' or '(' .. last, '+', scan, 'rb:released')
for _, item in ipairs(page) do
  if #taken >= count or bytes >= maxBytes then return {taken, trimmed, last} end
  local id, deliveries = item[1], item[4] + 1
  last = id
  local isSuspect = deliveries >= suspectFrom
  -- Skipped messages stay where they are: the next call starts after them, so they do not block the others.
  if not isUnwanted[id] and (not isSuspect or suspects > 0) then
    local entry = redis.call('XCLAIM', key, group, consumer, 0, id)[1]
    if entry then
      for _, text in ipairs(entry[2]) do bytes = bytes + #text end
      -- A count beyond 2^53 (XNACK FATAL) would not survive the conversion to a Lua number.
      taken[#taken + 1] = {id, math.min(deliveries, 9007199254740991), entry[2]}
      if isSuspect then suspects = suspects - 1 end
    else
      trimmed[#trimmed + 1] = id
    end
  end
end
return {taken, trimmed, #page < scan and '' or last}
