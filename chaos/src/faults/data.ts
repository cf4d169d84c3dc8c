/** What other clients may do to the data. Each fault destroys messages, and records which: in one script. */
import { entryName } from "../entry.ts";
import { deadLettersOf } from "../keys.ts";
import { type Fault, OBSERVED, SKIPPED } from "./fault.ts";

// KEYS 1 stream. Cuts through the middle of the pending list: messages in flight vanish from the stream, their pending entries stay.
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

// KEYS each stream, and its dead letters.
const FLUSH = `
local all = {}
for index = 1, #KEYS, 2 do
  local gone, dead = {}, {}
  for _, entry in ipairs(redis.call('XRANGE', KEYS[index], '-', '+')) do gone[#gone + 1] = entry[1] end
  for _, entry in ipairs(redis.call('XRANGE', KEYS[index + 1], '-', '+')) do
    for field = 1, #entry[2], 2 do
      if entry[2][field] == 'dead.id' then dead[#dead + 1] = entry[2][field + 1] end
    end
  end
  all[#all + 1] = {gone, dead}
end
redis.call('FLUSHALL')
return all`;

/** XTRIM through the middle of the pending list of each stream. */
export const trim: Fault = {
  target: "server",
  async strike({ server, streams, destroyed }) {
    let count = 0;
    for (const stream of streams) {
      const ids = (await server.command("EVAL", TRIM, 1, stream)) as string[];
      destroyed(ids.map((id) => entryName(streams, stream, id)));
      count += ids.length;
    }
    return count > 0 ? OBSERVED : SKIPPED;
  },
};

/** FLUSHALL: the streams, the groups, the dead letters and the registries are gone. */
export const flushAll: Fault = {
  target: "server",
  async strike({ server, streams, group, destroyed, destroyedDeadLetters }) {
    const keys = streams.flatMap((stream) => [stream, deadLettersOf(stream, group)]);
    const all = (await server.command("EVAL", FLUSH, keys.length, ...keys)) as [string[], string[]][];
    for (const [index, [ids, dead]] of all.entries()) {
      const nameOf = (id: string): string => entryName(streams, streams[index] as string, id);
      destroyed(ids.map(nameOf));
      destroyedDeadLetters(dead.map(nameOf));
    }
    return all.some(([ids]) => ids.length > 0) ? OBSERVED : SKIPPED;
  },
};
