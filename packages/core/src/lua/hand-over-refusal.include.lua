-- Why nothing may move between these consumers, as a word or nil; and the owner's registration, where it has one.
-- Unless any will do, the target has to be registered and heard of.
local function handOverRefusal(registry, from, to, mayBeAnybody)
  local now = nowMs()
  local owner = registration(registry, from)
  if isAlive(owner, now) then return 'owner-alive', owner end
  if mayBeAnybody then return nil, owner end
  local target = registration(registry, to)
  if not target then return 'target-unknown', owner end
  if not isAlive(target, now) then return 'target-silent', owner end
  return nil, owner
end
