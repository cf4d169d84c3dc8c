-- Puts the message of one dead letter back into its own group's pending list, where no other group sees it, under the
-- name "rb:released", from which any consumer takes it, and deletes the letter. Where the entry has left the stream, adds its fields as a new entry instead, if that was asked for.
-- KEYS  1 stream, 2 dead-letter stream
-- ARGV  1 group, 2 id of the dead letter, 3 what becomes of a letter whose entry was trimmed: "add" or "skip"
-- Returns [word, id]: "redriven" and the entry's id · "added" and the new entry's id; the letter is deleted.
--       [word]: "missing" there is no such letter · "entry-trimmed" the entry was deleted or trimmed · "pending" the group is
--       at work on it · "not-read" the group has yet to read it · "not-a-letter" nothing that moveToDeadLetters wrote; nothing changed.
-- Cost  O(payload + groups): two XRANGE, XPENDING, XINFO GROUPS, XCLAIM or XADD, XDEL.
-- One   because of two redrives of a letter one must find it missing, and because neither a crash nor an error may leave
--       the message nowhere. XDEL comes last: Lua does not roll back. Without allow-oom: XCLAIM and XDEL run on a full
--       server anyway, and an XADD that is refused leaves the letter, which can wait.
-- @include assure-right
-- @include entry-id
local key, dead, group, id = KEYS[1], KEYS[2], ARGV[1], ARGV[2]
local letter = redis.call('XRANGE', dead, id, id)[1]
if not letter then return {'missing'} end
local fields = letter[2]

-- The message's own fields end where the six pairs of moveToDeadLetters begin, whatever they are called themselves.
local size = #fields - 12
if size < 2 then return {'not-a-letter'} end
for index, name in ipairs({'dead.id', 'dead.consumer', 'dead.deliveries', 'dead.reason', 'dead.error', 'dead.at'}) do
  if fields[size + 2 * index - 1] ~= name then return {'not-a-letter'} end
end
local entryId = fields[size + 2]
if not entryId:match('^%d+%-%d+$') then return {'not-a-letter'} end

-- A stream that was deleted and written anew may have another message under this id.
local function isSame(entry)
  if #entry[2] ~= size then return false end
  for index = 1, size do
    if entry[2][index] ~= fields[index] then return false end
  end
  return true
end

local entry = redis.call('XRANGE', key, entryId, entryId)[1]
if not entry or not isSame(entry) then
  if ARGV[3] ~= 'add' then return {'entry-trimmed'} end
  assureRight('XDEL', dead, id)
  local newId = redis.call('XADD', key, '*', unpack(fields, 1, size))
  redis.call('XDEL', dead, id)
  return {'added', newId}
end
-- Somebody's lease may be running. Fails, and changes nothing, when the group is not there.
if #redis.call('XPENDING', key, group, entryId, entryId, 1) > 0 then return {'pending'} end
for _, info in ipairs(redis.call('XINFO', 'GROUPS', key)) do
  local named = {}
  for index = 1, #info, 2 do named[info[index]] = info[index + 1] end
  -- Reading does not look at the pending list: it would deliver a second time what is put there before.
  if named['name'] == group and isAfter(entryId, named['last-delivered-id']) then return {'not-read'} end
end
assureRight('XDEL', dead, id)
local claim = {key, group, 'rb:released', 0, entryId, 'RETRYCOUNT', 0, 'FORCE', 'JUSTID'}
if #redis.call('XCLAIM', unpack(claim)) == 0 then return {'entry-trimmed'} end
redis.call('XDEL', dead, id)
return {'redriven', entryId}
