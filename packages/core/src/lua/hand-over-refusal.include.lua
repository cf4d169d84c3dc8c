-- Why nothing may move between these consumers, as a word or nil; and the minimum idle time of a message to move, in ms.
-- The target must be registered and have a fresh heartbeat, unless "any" is allowed. An owner whose heartbeat was
-- observed to stop (seenAt) has no lease left, so its messages need no idle time: the clock may have jumped.
local function handOverRefusal(registry, from, to, foreignIdleMs, mayBeAnybody, seenAt)
  local now = nowMs()
  local owner = registration(registry, from)
  if isStillAlive(owner, now, seenAt) then return 'owner-alive' end
  local minIdleMs = tonumber(foreignIdleMs)
  if owner then minIdleMs = seenAt ~= '' and 0 or tonumber(owner.leaseMs) end
  if mayBeAnybody then return nil, minIdleMs end
  local target = registration(registry, to)
  if not target then return 'target-unknown' end
  if not isAlive(target, now) then return 'target-silent' end
  return nil, minIdleMs
end
