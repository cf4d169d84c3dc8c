#!lua flags=allow-oom
-- Takes a lease that is free, prolongs one's own, or gives it up. With a second key it numbers the holders: whoever takes
-- the lease again gets a term of its own, higher than all before, by which the acts of an earlier holder can be told from its
-- own; and it hands out what the last holder left for the next.
-- KEYS  1 lease, 2 hash of term and state; may be left out: holders have no number then
-- ARGV  1 holder, 2 how long it lasts in ms; 0 gives it up, 3 the highest term the holder has heard of: a server that
--       has lost its latest writes must not give one out again
-- Returns [1 the holder has it · 0 it is somebody else's, or was given up; the latest term, "0" where none is; the state,
--       "" where none is]
-- Cost  O(1), and the state's size. allow-oom, because a full server needs whoever empties it.
-- One   because two processes must not get one term, and a lease that runs out between look and write is the next one's.
-- @include assure-right
local lease, kept, me, leaseMs = KEYS[1], KEYS[2], ARGV[1], ARGV[2]

-- Who holds it; false where it is free. A lease ends by the server's clock: after that was set back, one that nobody
-- prolongs would last for hours more. So another's is free that lasts ten times as long as what is asked for. Without the
-- right to PTTL that is not seen, and who asks waits.
local function holderOf()
  local holder = redis.call('GET', lease)
  if not holder or holder == me then return holder end
  local leftMs = redis.pcall('PTTL', lease)
  if type(leftMs) == 'number' and tonumber(leaseMs) > 0 and leftMs > 10 * tonumber(leaseMs) then return false end
  return holder
end

local term, state
if kept then term, state = redis.call('HGET', kept, 'term'), redis.call('HGET', kept, 'state') end
local holder = holderOf()
local isMine, isHeld = holder == me, 0
if leaseMs == '0' then
  if isMine then redis.call('DEL', lease) end
elseif isMine or not holder then
  if kept and not (isMine and term) then
    assureRight('SET', lease, me, 'PX', leaseMs)
    -- Not HINCRBY: one right less to give.
    term = string.format('%.0f', math.max(tonumber(term or '0'), tonumber(ARGV[3])) + 1)
    redis.call('HSET', kept, 'term', term)
  end
  redis.call('SET', lease, me, 'PX', leaseMs)
  isHeld = 1
end
return {isHeld, term or '0', state or ''}
