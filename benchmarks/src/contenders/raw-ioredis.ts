/** What people write by hand: a loop of XREADGROUP and one XACK with all ids; variant `delete`: and one XDEL. */
import { Redis } from "ioredis";
import { contend } from "../contending.ts";

type Reply = [key: string, entries: [id: string, fields: string[]][]][] | null;

await contend(async ({ redis, stream, group, batchSize, variant }, meter) => {
  const client = new Redis(redis);
  let batches = 0;
  let wholeBatches = 0;
  while (!meter.isDone) {
    const reply = (await client.xreadgroup(
      ...(["GROUP", group, "c", "COUNT", batchSize, "BLOCK", 1_000, "STREAMS", stream, ">"] as const),
    )) as Reply;
    const entries = reply?.[0]?.[1] ?? [];
    if (entries.length === 0) continue;
    const ids = entries.map(([id]) => id);
    await client.xack(stream, group, ...ids);
    if (variant === "delete") await client.xdel(stream, ...ids);
    batches += 1;
    if (entries.length >= 0.9 * batchSize) wholeBatches += 1;
    meter.saw(entries.length);
  }
  client.disconnect();
  return variant === "trickle" ? { "full batches": wholeBatches / batches } : undefined;
});
