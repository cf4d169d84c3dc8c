#!lua flags=allow-oom
-- Takes a partition that nobody owns, renews one's own ownership of it, or gives it up. Each ownership has a token higher than
-- all before: the fencing token of what its owner does.
-- KEYS  1 owner (hash; never deleted, so that no token is used twice)
-- ARGV  1 member, 2 how long the ownership lasts from now in ms; 0 gives it up, 3 its token, to go on with it; 0: takes it,
--       4 the highest token that the member knows of: a server that has lost its latest writes must not use it again
-- Returns [1 the member owns it · 0 it does not (any more); the token of the last ownership; the last owner, "" if it was given
--       up or there was none; for how much longer it owns it, in ms]
-- Cost  O(1). allow-oom, because a full server needs consumers that empty it.
-- One   because two members must not get the same token, and an ownership may end between check and write.
-- @include clock
local key, me, leaseMs, mine, heardOf = KEYS[1], ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local now = nowMs()
local kept = redis.call('HMGET', key, 'member', 'token', 'until')
local member, token, untilMs = kept[1] or '', tonumber(kept[2] or '0'), tonumber(kept[3] or '0')
local isHeld = 0
if mine > 0 then
  if member == me and token == mine then
    if leaseMs > 0 then isHeld, untilMs = 1, now + leaseMs else member, untilMs = '', 0 end
  end
-- An end in the distant future is left from before a server's clock was set back: nobody renews it.
elseif leaseMs > 0 and (member == '' or untilMs <= now or untilMs - now > 10 * leaseMs) then
  -- Not only one more: a server that has lost the hash itself must not begin with 1 again.
  isHeld, member, token, untilMs = 1, me, math.max(token + 1, heardOf + 1, now), now + leaseMs
end
local text = string.format('%.0f', token)
if isHeld == 1 or member == '' then
  redis.call('HSET', key, 'member', member, 'token', text, 'until', string.format('%.0f', untilMs))
end
return {isHeld, text, member, math.max(untilMs - now, 0)}
