/** The loop that people write by hand, over node-redis. */
import { createClient } from "redis";
import { contend } from "../contending.ts";

type Reply = readonly {
  readonly messages: readonly { readonly id: string; readonly message: Readonly<Record<string, string>> }[];
}[];

await contend(async ({ redis: { host, port }, stream, group, batchSize }, meter) => {
  const client = createClient({ socket: { host, port } });
  await client.connect();
  let length = 0;
  while (!meter.isDone) {
    const read: Reply | null = await client.xReadGroup(
      group,
      "c",
      { key: stream, id: ">" },
      { COUNT: batchSize, BLOCK: 1_000 },
    );
    const messages = read?.[0]?.messages ?? [];
    if (messages.length === 0) continue;
    for (const { message } of messages) length += message["order"]?.length ?? 0;
    await client.xAck(
      stream,
      group,
      messages.map(({ id }) => id),
    );
    meter.saw(messages.length);
  }
  client.destroy();
  if (length === 0) throw new Error("no message had the field");
  return undefined;
});
