/** What people write by hand: a loop of XREADGROUP and one XACK with all ids. */
import { Redis } from "ioredis";
import { contend } from "../contender.ts";

type Reply = [key: string, entries: [id: string, fields: string[]][]][] | null;

await contend(async ({ redis, stream, group, batchSize, messages }) => {
  const client = new Redis(redis);
  await client.xgroup("CREATE", stream, group, "0", "MKSTREAM");
  let seen = 0;
  while (seen < messages) {
    const reply = (await client.xreadgroup(
      ...(["GROUP", group, "c", "COUNT", batchSize, "BLOCK", 1_000, "STREAMS", stream, ">"] as const),
    )) as Reply;
    const entries = reply?.[0]?.[1] ?? [];
    if (entries.length === 0) continue;
    seen += entries.length;
    await client.xack(stream, group, ...entries.map(([id]) => id));
  }
  client.disconnect();
  return seen;
});
