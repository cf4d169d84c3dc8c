-- Asks which commands the server knows and this user may run, without running them.
-- KEYS  none: nothing is touched
-- ARGV  for each command: how many words it has, and the words
-- Returns a list of 1 (known and allowed) and 0; nothing where the server cannot tell.
-- Cost  O(words).
-- One   because only a script can ask: a command that is tried and refused is in the server's log of refusals, and
--       ACL DRYRUN is for administrators.
if not redis.acl_check_cmd then return false end
local reply, at = {}, 1
while ARGV[at] do
  local last = at + tonumber(ARGV[at])
  local isKnown, isAllowed = pcall(redis.acl_check_cmd, unpack(ARGV, at + 1, last))
  reply[#reply + 1] = isKnown and isAllowed and 1 or 0
  at = last + 1
end
return reply
