-- Fails before anything is written if this user may not run the command: Lua does not roll back, so a command that is
-- refused halfway would leave the earlier writes. Arguments as for redis.call; one of each key it will touch is enough.
local function assureRight(...)
  if not redis.acl_check_cmd then return end
  local name, part = ...
  if name == 'XGROUP' then name = name .. '|' .. part end
  local isKnown, isAllowed = pcall(redis.acl_check_cmd, ...)
  if not isKnown then error({err = 'ERR Unknown Redis command called from script: ' .. name}) end
  if isAllowed then return end
  error({err = "NOPERM this user has no permissions to run the '" .. string.lower(name) .. "' command, or to access its keys"})
end
