#!lua flags=allow-oom
-- Acquires a free lease, renews one's own, or gives it up. With a second key it numbers the holders: a new holder gets a
-- new term, higher than all before, which distinguishes its actions from those of earlier holders; and it returns the
-- state that the last holder stored for the next one.
-- KEYS  1 lease, 2 hash of term and state; may be left out: holders have no number then
-- ARGV  1 holder, 2 how long it lasts in ms; 0 gives it up, 3 the highest term that the holder knows: a server that has
--       lost its latest writes must not use one again
-- Returns [1 the holder has it · 0 another process has it, or it was given up; the latest term, "0" if none; the state,
--       "" if none]
-- Cost  O(1), and the state's size. allow-oom, because a full server needs the process that empties it.
-- One   because two processes must not get the same term, and a lease may expire between check and write.
-- @include assure-right
local lease, kept, me, leaseMs = KEYS[1], KEYS[2], ARGV[1], ARGV[2]

-- The holder; false if the lease is free. A lease expires by the server's clock: after the clock was set back, a lease
-- that nobody renews would last for hours. So another's lease counts as free if it lasts more than ten times as long as
-- the requested one. Without the right to PTTL this is not noticed, and the caller waits.
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
