-- Reads new messages of a partition, if the member owns it.
-- KEYS  1 stream, 2 owner
-- ARGV  1 group, 2 member, 3 the token of its ownership, 4 how many messages at most
-- Returns [1 it owns the partition · 0 it does not (any more), and nothing was read; a list with one item [id, [field, value, …]]
--       per message; the id after which the next message of the group will be, "" if there were messages]
-- Cost  O(payload), twice: the reply goes through Lua. O(groups) if there is nothing.
-- One   because a member whose ownership ends must not be given a later message of a key than the next owner.
-- @include clock
local stream, group, member = KEYS[1], ARGV[1], ARGV[2]
local kept = redis.call('HMGET', KEYS[2], 'member', 'token', 'until')
if kept[1] ~= member or kept[2] ~= ARGV[3] or tonumber(kept[3]) <= nowMs() then return {0, {}, ''} end
local reply = redis.call('XREADGROUP', 'GROUP', group, member, 'COUNT', ARGV[4], 'STREAMS', stream, '>')
if reply then return {1, reply[1][2], ''} end
for _, info in ipairs(redis.call('XINFO', 'GROUPS', stream)) do
  local isIt, last = false, ''
  for index = 1, #info, 2 do
    if info[index] == 'name' then isIt = info[index + 1] == group end
    if info[index] == 'last-delivered-id' then last = info[index + 1] end
  end
  if isIt then return {1, {}, last} end
end
return {1, {}, '0-0'}
