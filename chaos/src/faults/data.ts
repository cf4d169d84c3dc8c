/** What other clients may do to the data. Each fault destroys messages, and records which: in one script. */
import { type Fault, OBSERVED, SKIPPED } from "./fault.ts";

// Cuts through the middle of the pending list: messages in flight vanish from the stream, their pending entries stay.
const TRIM = `
if redis.call('EXISTS', KEYS[1]) == 0 then return {} end
local group = redis.call('XINFO', 'GROUPS', KEYS[1])[1]
if not group then return {} end
local pending = redis.call('XPENDING', KEYS[1], group[2], '-', '+', 1000)
local middle = pending[math.ceil(#pending / 2)]
if not middle then return {} end
local gone = {}
for _, entry in ipairs(redis.call('XRANGE', KEYS[1], '-', '(' .. middle[1])) do gone[#gone + 1] = entry[1] end
redis.call('XTRIM', KEYS[1], 'MINID', middle[1])
return gone`;

const FLUSH = `
local gone, dead = {}, {}
for _, entry in ipairs(redis.call('XRANGE', KEYS[1], '-', '+')) do gone[#gone + 1] = entry[1] end
for _, entry in ipairs(redis.call('XRANGE', KEYS[2], '-', '+')) do
  for index = 1, #entry[2], 2 do
    if entry[2][index] == 'dead.id' then dead[#dead + 1] = entry[2][index + 1] end
  end
end
redis.call('FLUSHALL')
return {gone, dead}`;

/** XTRIM through the middle of the pending list. */
export const trim: Fault = {
  target: "server",
  async strike({ server, stream, destroyed }) {
    const ids = (await server.command("EVAL", TRIM, 1, stream)) as string[];
    destroyed(ids);
    return ids.length > 0 ? OBSERVED : SKIPPED;
  },
};

/** FLUSHALL: the stream, the group, the dead letters and the registry are gone. */
export const flushAll: Fault = {
  target: "server",
  async strike({ server, stream, deadLetters, destroyed, destroyedDeadLetters }) {
    const [ids, dead] = (await server.command("EVAL", FLUSH, 2, stream, deadLetters)) as [string[], string[]];
    destroyed(ids);
    destroyedDeadLetters(dead);
    return ids.length > 0 ? OBSERVED : SKIPPED;
  },
};
