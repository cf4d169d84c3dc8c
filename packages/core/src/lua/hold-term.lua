#!lua flags=allow-oom
-- Takes a lease that is free, or prolongs one's own, and numbers its holders: whoever takes it anew gets a term of its own,
-- higher than all before, by which the acts of an earlier holder can be told from its own. Hands out what the last holder
-- left for the next.
-- KEYS  1 lease, 2 hash of term and state
-- ARGV  1 holder, 2 how long it lasts in ms; 0 gives it up, 3 the highest term the holder has heard of: a server that
--       has lost its latest writes must not give one out again
-- Returns [1 the holder has it · 0 it is somebody else's, or was given up; the latest term; the state, "" where none is]
-- Cost  O(1), and the state's size. allow-oom, because a full server needs whoever empties it.
-- One   because two processes must not get one term, and a lease that runs out between look and write is the next one's.
-- @include assure-right
-- @include lease-holder
local lease, kept, me = KEYS[1], KEYS[2], ARGV[1]
local term, state = redis.call('HGET', kept, 'term'), redis.call('HGET', kept, 'state')
local holder = leaseHolder(lease, me, ARGV[2])
local isMine = holder == me
local leads = 0
if ARGV[2] == '0' then
  if isMine then redis.call('DEL', lease) end
elseif isMine or not holder then
  assureRight('SET', lease, me, 'PX', ARGV[2])
  -- Not HINCRBY: one right less to give.
  if not isMine or not term then
    term = string.format('%.0f', math.max(tonumber(term or '0'), tonumber(ARGV[3])) + 1)
    redis.call('HSET', kept, 'term', term)
  end
  redis.call('SET', lease, me, 'PX', ARGV[2])
  leads = 1
end
return {leads, term or '0', state or ''}
