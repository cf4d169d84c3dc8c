-- Delivers released messages to a consumer: moves them from the name "rb:released" to its own, with their bodies, and
-- counts the delivery.
-- KEYS  1 stream
-- ARGV  1 group, 2 consumer, 3 the id behind which the look begins, "" for the beginning, 4 how many messages are looked
--       at, 5 how many are taken at most, 6 bytes of fields and values from which on no more is taken, 7 the delivery
--       number from which on a message is a suspect, "" for never, 8 how many suspects are taken at most,
--       9… ids that are not wanted
-- Returns three items: a list with one item [id, deliveries, [field, value, …]] per message, the list of the trimmed
--       ids, which were deleted from the stream (the server drops them from the pending list here), and the id behind
--       which the next look begins, or "" when the list was gone through to its end.
-- Cost  O(messages looked at + payload): one XPENDING, and one XCLAIM for each message that is taken. One for all of
--       them would not know their sizes before they are in the reply. An empty list costs about a microsecond.
-- One   because two consumers that look at the same time must not take the same message.
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
  -- What is passed over stays where it is: at the head of the list it would keep everything else from being taken.
  if not isUnwanted[id] and (not isSuspect or suspects > 0) then
    local entry = redis.call('XCLAIM', key, group, consumer, 0, id)[1]
    if entry then
      for _, text in ipairs(entry[2]) do bytes = bytes + #text end
      -- A count beyond 2^53 (XNACK FATAL) would not survive the way through a Lua number.
      taken[#taken + 1] = {id, math.min(deliveries, 9007199254740991), entry[2]}
      if isSuspect then suspects = suspects - 1 end
    else
      trimmed[#trimmed + 1] = id
    end
  end
end
return {taken, trimmed, #page < scan and '' or last}
