-- Why nothing may move between these consumers, as a word or nil; and how long a message must not have been delivered
-- to move, in ms. The target has to be registered and heard of, unless any will do. An owner that was watched until it
-- was dead (seenAt) has no lease left, so its messages need no age: that would be told by a clock that may have jumped.
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
