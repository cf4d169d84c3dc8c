-- Puts the message of one dead letter back into its own group's pending list, where no other group sees it, under the
-- name "rb:released", from which any consumer takes it, and deletes the dead letter. If the entry is no longer in the
-- stream, its fields are added as a new entry instead, if the caller wants that.
-- KEYS  1 stream, 2 dead-letter stream
-- ARGV  1 group, 2 id of the dead letter, 3 what to do if the entry was trimmed: "add" or "skip"
-- Returns [word, id]: "redriven" and the entry's id · "added" and the new entry's id; the dead letter is deleted.
--       [word]: "missing" no such dead letter · "entry-trimmed" the entry was deleted or trimmed · "pending" the group is
--       processing it · "not-read" the group has not read it yet · "not-a-letter" not written by moveToDeadLetters; nothing changed.
-- Cost  O(payload + groups): two XRANGE, XPENDING, XINFO GROUPS, XCLAIM or XADD, XDEL.
-- One   because of two redrives of a dead letter one must find it missing, and because neither a crash nor an error may
--       lose the message. XDEL comes last: Lua does not roll back. Without allow-oom: XCLAIM and XDEL run on a full
--       server anyway, and a refused XADD leaves the dead letter, which can wait.
-- @include assure-right
-- @include entry-id
local key, dead, group, id = KEYS[1], KEYS[2], ARGV[1], ARGV[2]
local letter = redis.call('XRANGE', dead, id, id)[1]
if not letter then return {'missing'} end
local fields = letter[2]

-- The message's own fields end where the six pairs of moveToDeadLetters begin, whatever their names.
local size = #fields - 12
if size < 2 then return {'not-a-letter'} end
for index, name in ipairs({'dead.id', 'dead.consumer', 'dead.deliveries', 'dead.reason', 'dead.error', 'dead.at'}) do
  if fields[size + 2 * index - 1] ~= name then return {'not-a-letter'} end
end
local entryId = fields[size + 2]
if not entryId:match('^%d+%-%d+$') then return {'not-a-letter'} end

-- A stream that was deleted and written again may have another message under this id.
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
-- Another consumer may hold a lease. Fails, and changes nothing, if the group does not exist.
if #redis.call('XPENDING', key, group, entryId, entryId, 1) > 0 then return {'pending'} end
for _, info in ipairs(redis.call('XINFO', 'GROUPS', key)) do
  local named = {}
  for index = 1, #info, 2 do named[info[index]] = info[index + 1] end
  -- Reading ignores the pending list: a message that was put there before would be delivered twice.
  if named['name'] == group and isAfter(entryId, named['last-delivered-id']) then return {'not-read'} end
end
assureRight('XDEL', dead, id)
local claim = {key, group, 'rb:released', 0, entryId, 'RETRYCOUNT', 0, 'FORCE', 'JUSTID'}
if #redis.call('XCLAIM', unpack(claim)) == 0 then return {'entry-trimmed'} end
redis.call('XDEL', dead, id)
return {'redriven', entryId}
