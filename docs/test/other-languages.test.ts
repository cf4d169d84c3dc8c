/** What `docs/other-languages.md` and `docs/migrating-from-a-loop.md` say: programs that know nothing of us, in one group with ours. */
import { Consumer } from "@redis-batch/consumer";
import { eventually, uniqueName, useServer } from "@redis-batch/test-support";
import { describe, expect, it, onTestFinished } from "vitest";

const redis = useServer();
const MESSAGES = 600;
const group = "billing";

type Entry = [id: string, fields: string[]];

async function streamOf(messages: number): Promise<string> {
  const stream = uniqueName("orders");
  await redis.server.command("XGROUP", "CREATE", stream, group, "0", "MKSTREAM");
  const add = "for n = 1, ARGV[1] do redis.call('XADD', KEYS[1], '*', 'order', n) end";
  await redis.server.command("EVAL", add, 1, stream, messages);
  return stream;
}

/** Reads new messages like every other client. */
async function read(stream: string, name: string, count: number): Promise<string[]> {
  const reply = (await redis.server.command(
    "XREADGROUP",
    "GROUP",
    group,
    name,
    "COUNT",
    count,
    "STREAMS",
    stream,
    ">",
  )) as [string, Entry[]][] | null;
  return (reply?.[0]?.[1] ?? []).map(([id]) => id);
}

async function claim(stream: string, name: string, minIdleMs: number): Promise<string[]> {
  const [, entries] = (await redis.server.command(
    "XAUTOCLAIM",
    stream,
    group,
    name,
    minIdleMs,
    "0",
    "COUNT",
    1_000,
  )) as [string, Entry[]];
  return entries.map(([id]) => id);
}

async function pending(stream: string): Promise<number> {
  const [count] = (await redis.server.command("XPENDING", stream, group)) as [number];
  return count;
}

/** One of ours at work: the ids that it has handled, and how to stop it. */
function work(stream: string, options: { readonly foreignIdleMs?: number } = {}) {
  const handled: string[] = [];
  const consumer = new Consumer({
    ...{ redis: redis.server.url, stream, group, batchSize: 20, maxWaitMs: 20, leaseMs: 2_000, recoverEveryMs: 200 },
    ...{ observer: () => {}, ...options },
  });
  const run = consumer.run((batch) => {
    for (const message of batch) {
      handled.push(message.id);
      message.ack();
    }
  });
  const stop = async (): Promise<void> => {
    await consumer.close();
    await run;
  };
  onTestFinished(stop);
  return { handled, stop };
}

describe("a stranger in the group", () => {
  it("shares it with ours, and what it leaves is taken over after foreignIdleMs", async () => {
    const stream = await streamOf(MESSAGES);
    // It acknowledges some, and dies with the others.
    const held = await read(stream, "stranger", 100);
    const done = held.slice(0, 40);
    await redis.server.command("XACK", stream, group, ...done);
    const { handled } = work(stream, { foreignIdleMs: 1_000 });
    await eventually(
      "nothing is pending",
      async () => handled.length >= MESSAGES - 40 && (await pending(stream)) === 0,
      {
        timeoutMs: 60_000,
      },
    );
    expect(new Set([...done, ...handled]).size).toBe(MESSAGES);
    // None of those that it had finished.
    expect(handled.filter((id) => done.includes(id))).toEqual([]);
  });

  it("gets nothing of a living consumer, if it claims what idles for longer than the lease", async () => {
    const stream = await streamOf(0);
    const consumer = new Consumer({ ...{ redis: redis.server.url, stream, group, maxWaitMs: 50, leaseMs: 1_000 } });
    onTestFinished(async () => void (await consumer.close()));
    await redis.server.command("XADD", stream, "*", "order", "1");
    let batch = await consumer.fetch();
    while (batch.size === 0) batch = await consumer.fetch();
    // It works for three leases, and a claimer looks all the time.
    const claimed: string[] = [];
    const until = performance.now() + 3_000;
    await eventually(
      "three leases are over",
      async () => {
        claimed.push(...(await claim(stream, "claimer", 1_000)));
        return performance.now() > until;
      },
      { timeoutMs: 60_000 },
    );
    expect(claimed).toEqual([]);
    batch.ack();
    expect(await batch.settled()).toMatchObject({ acknowledged: [batch.messages[0]?.id] });
  });

  it("gets what ours has released, once it claims: the way back to a loop", async () => {
    const stream = await streamOf(MESSAGES);
    const consumer = new Consumer({ redis: redis.server.url, stream, group, batchSize: 50, maxWaitMs: 1_000 });
    const batch = await consumer.fetch();
    expect(batch.size).toBe(50);
    await consumer.close();
    const handled = new Set(await claim(stream, "loop", 0));
    for (const id of await read(stream, "loop", MESSAGES)) handled.add(id);
    expect(handled.size).toBe(MESSAGES);
    expect(batch.messages.filter(({ id }) => !handled.has(id))).toEqual([]);
  });
});
