/** A failover to a server whose clock is behind: all that the one before has written down lies in the future. */
import type { RedisServer } from "@redis-batch/test-support";
import { journalNowMs } from "../journal.ts";
import { registryOf } from "../keys.ts";
import { type Fault, observedIf } from "./fault.ts";
import { lasting } from "./lasting.ts";
import { runIdOf } from "./server.ts";

const BACK_MS = 3_600_000;

/**
 * KEYS 1 stream, 2 registry; ARGV 1 group, 2 by how much, in milliseconds. Moves into the future: when each consumer was
 * last heard of, and when each pending message was last delivered, which no command sets beyond now. So the stream's dump
 * is changed: there each pending id is followed by its time (8 bytes, the lowest first). What was deferred keeps its time,
 * or a round would take an hour. Returns how many pending messages were moved.
 */
const MOVE = `
local by = tonumber(ARGV[2])
for _, name in ipairs(redis.call('HKEYS', KEYS[2])) do
  local told = redis.call('HGET', KEYS[2], name)
  redis.call('HSET', KEYS[2], name, (told:gsub('^{"at":(%d+)', function(at)
    return '{"at":' .. string.format('%.0f', tonumber(at) + by)
  end)))
end
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
local function big(number)
  local bytes = {}
  for place = 8, 1, -1 do bytes[place] = string.char(number % 256) number = math.floor(number / 256) end
  return table.concat(bytes)
end
local function little(number) return big(number):reverse() end
local function fromLittle(bytes)
  local number = 0
  for place = 8, 1, -1 do number = number * 256 + bytes:byte(place) end
  return number
end
local now = redis.call('TIME')
local nowMs = now[1] * 1000 + math.floor(now[2] / 1000)
local dump, parts, at, moved = redis.call('DUMP', KEYS[1]), {}, 1, 0
local from = '-'
while true do
  local ok, page = pcall(redis.call, 'XPENDING', KEYS[1], ARGV[1], from, '+', 1000)
  if not ok or #page == 0 then break end
  for _, entry in ipairs(page) do
    local ms, seq = entry[1]:match('(%d+)-(%d+)')
    local id = big(tonumber(ms)) .. big(tonumber(seq))
    local found = dump:find(id, at, true)
    while found do
      local timeAt = found + 16
      local time = fromLittle(dump:sub(timeAt, timeAt + 7))
      if time > nowMs - by and time <= nowMs then
        parts[#parts + 1] = dump:sub(at, timeAt - 1) .. little(time + by)
        at, moved = timeAt + 8, moved + 1
        break
      end
      found = dump:find(id, found + 1, true)
    end
  end
  from = '(' .. page[#page][1]
end
parts[#parts + 1] = dump:sub(at)
if moved > 0 then redis.call('RESTORE', KEYS[1], 0, table.concat(parts), 'REPLACE') end
return moved`;

export const serverClockBack: Fault = {
  target: "server",
  async strike({ server, streams, group, over, away }, place, { forMs, keepsName }) {
    const before = await runIdOf(server);
    // Somebody is dead when it happens, and must be found to be.
    await place.kill(keepsName);
    const leases = await readLeases(server);
    let isInFuture = false;
    const fromMs = journalNowMs();
    await server.kill();
    await lasting(forMs, over);
    await server.restart({
      async edit(command) {
        await command("DEBUG", "SET-SKIP-CHECKSUM-VALIDATION", 1);
        for (const stream of streams) {
          await command("EVAL", MOVE, 2, stream, registryOf(stream, group), group, BACK_MS);
        }
        // A lease ends at a date as well.
        for (const { key, holder } of leases) await command("SET", key, holder, "PX", BACK_MS);
        const [seconds] = (await command("TIME")) as [string];
        const told = await Promise.all(streams.map((stream) => command("HVALS", registryOf(stream, group))));
        // The registry also has who is alone in the group, as a name.
        const lines = (told as string[][]).flat().filter((line) => line.startsWith("{"));
        const heard = lines.map((line) => JSON.parse(line) as { at: number });
        isInFuture = heard.every(({ at }) => at > Number(seconds) * 1_000);
      },
    });
    away(fromMs, journalNowMs(), "server clock back");
    return observedIf(isInFuture && (await runIdOf(server)) !== before, "the server's times did not move");
  },
};

async function readLeases(server: RedisServer): Promise<readonly { readonly key: string; readonly holder: string }[]> {
  const keys = (await server.command("KEYS", "rb:*:lease:*")) as string[];
  const leases = await Promise.all(keys.map(async (key) => ({ key, holder: await server.command("GET", key) })));
  // One may have ended meanwhile.
  return leases.flatMap(({ key, holder }) => (holder === null ? [] : [{ key, holder: String(holder) }]));
}
