/** How long a message takes from just before its XADD to a loop that waits in XREADGROUP. */
import { Redis } from "ioredis";
import { contend } from "../contending.ts";
import { latencies } from "../latencies.ts";

type Reply = [key: string, entries: [id: string, fields: string[]][]][] | null;

await contend(async ({ redis, stream, group, warmUp }, meter) => {
  const client = new Redis(redis);
  const times = latencies(warmUp);
  while (!meter.isDone) {
    const reply = (await client.xreadgroup(
      ...(["GROUP", group, "c", "COUNT", 1, "BLOCK", 1_000, "STREAMS", stream, ">"] as const),
    )) as Reply;
    const entries = reply?.[0]?.[1] ?? [];
    if (entries.length === 0) continue;
    for (const [, [, at = ""]] of entries) times.arrived(at);
    await client.xack(stream, group, ...entries.map(([id]) => id));
    meter.saw(entries.length);
  }
  client.disconnect();
  return times.figures();
});
