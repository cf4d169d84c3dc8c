/** What people write by hand: a loop of XREADGROUP and one XACK with all ids, over whichever client has the methods of ioredis. */
import type { Meter, Task } from "./contending.ts";
import type { Figures } from "./figures.ts";

/** An entry; newer clients may give its fields as an object. */
type Reply = readonly [key: string, entries: readonly [id: string, fields: readonly string[]][]][] | null;

/** As much of a client as the loop uses. */
export interface RawClient {
  xreadgroup(
    ...args: [
      ...["GROUP", group: string, consumer: string, "COUNT", count: number, "BLOCK", blockMs: number],
      ...["STREAMS", stream: string, from: ">"],
    ]
  ): Promise<unknown>;
  xack(stream: string, group: string, ...ids: string[]): Promise<unknown>;
  xdel(stream: string, ...ids: string[]): Promise<unknown>;
  disconnect(): void;
}

export async function rawLoop(
  client: RawClient,
  { stream, group, batchSize, variant }: Pick<Task, "stream" | "group" | "batchSize" | "variant">,
  meter: Meter,
): Promise<Figures | undefined> {
  let batches = 0;
  let wholeBatches = 0;
  let length = 0;
  while (!meter.isDone) {
    const reply = (await client.xreadgroup(
      ...(["GROUP", group, "c", "COUNT", batchSize, "BLOCK", 1_000, "STREAMS", stream, ">"] as const),
    )) as Reply;
    const entries = reply?.[0]?.[1] ?? [];
    if (entries.length === 0) continue;
    if (variant === "read") for (const [, [, order = ""]] of entries) length += order.length;
    const ids = entries.map(([id]) => id);
    await client.xack(stream, group, ...ids);
    if (variant === "delete") await client.xdel(stream, ...ids);
    batches += 1;
    if (entries.length >= 0.9 * batchSize) wholeBatches += 1;
    meter.saw(entries.length);
  }
  client.disconnect();
  if (variant === "read" && length === 0) throw new Error("no message had the field");
  return variant === "trickle" ? { "full batches": wholeBatches / batches } : undefined;
}
