/** What `docs/migrating-from-python.md` says: what is lost beside the original's Monitor, and the two ways that lose nothing. */
import { Consumer } from "@redis-batch/consumer";
import { Monitor } from "@redis-batch/monitor";
import { eventually, uniqueName, useServer } from "@redis-batch/test-support";
import { describe, expect, it, onTestFinished } from "vitest";
import { ORIGINALS, type Original, type Place } from "./original.ts";

const redis = useServer({ own: true });
const MESSAGES = 2_000;
const PATIENCE = { timeoutMs: 60_000 };
const NEVER = 10 ** 15;

/** A stream with a group that the original works on, and a count of who handled what. */
async function bench() {
  const { server } = redis;
  const [stream, group] = [uniqueName("orders"), "billing"];
  const ledger = `${stream}:ledger`;
  const place: Place = { server, stream, group };
  await server.command("XGROUP", "CREATE", stream, group, "0", "MKSTREAM");
  const add = "local ids = {} for n = 1, ARGV[1] do ids[n] = redis.call('XADD', KEYS[1], '*', 'n', n) end return ids";
  const handled = new Map<string, number>();
  return {
    ...{ server, stream, group, ledger, place },
    add: (messages: number): Promise<unknown> => server.command("EVAL", add, 1, stream, messages),
    /** One of ours, at work until the test is over. */
    work: (
      of = group,
      { batchMs = 20, ...options }: { readonly startFrom?: string; readonly batchMs?: number } = {},
    ): Consumer => {
      const consumer = new Consumer({
        ...{ redis: server.url, stream, group: of, batchSize: 50, maxWaitMs: 50, leaseMs: 1_000, recoverEveryMs: 200 },
        ...{ foreignIdleMs: 1_000, observer: () => {}, ...options },
      });
      const run = consumer.run(async (batch) => {
        // The work of the handler.
        await new Promise((resolve) => setTimeout(resolve, batchMs));
        for (const { id } of batch) handled.set(id, (handled.get(id) ?? 0) + 1);
        batch.ack();
      });
      onTestFinished(async () => {
        await consumer.close();
        await run;
      });
      return consumer;
    },
    /** Nothing waits in the group, and nothing is pending. */
    done: (of = group): Promise<unknown> =>
      eventually(
        "the group is done",
        async () => {
          const groups = (await server.command("XINFO", "GROUPS", stream)) as (string | number)[][];
          const found = groups.find((info) => info[1] === of) ?? [];
          const value = (name: string) => found[found.indexOf(name) + 1];
          const [, last] = fields(await server.command("XINFO", "STREAM", stream), "last-generated-id");
          return value("pending") === 0 && value("last-delivered-id") === last;
        },
        PATIENCE,
      ),
    /** How often each message was handled, by whichever of the two. */
    tally: async () => {
      const flat = (await server.command("HGETALL", ledger)) as string[];
      const python = new Map(flat.flatMap((id, at) => (at % 2 === 0 ? [[id, Number(flat[at + 1])] as const] : [])));
      const entries = (await server.command("XRANGE", stream, "-", "+")) as [string][];
      const times = entries.map(([id]) => (handled.get(id) ?? 0) + (python.get(id) ?? 0));
      return {
        messages: times.length,
        lost: times.filter((count) => count === 0).length,
        ours: handled.size,
        python: python.size,
      };
    },
  };
}

function fields(reply: unknown, name: string): [string, unknown] {
  const flat = reply as unknown[];
  return [name, flat[flat.indexOf(name) + 1]];
}

const atWork = (part: ReturnType<Original["monitor"]>): Promise<unknown> =>
  eventually("the original is at work", () => part.passes() > 2, PATIENCE);

describe.each(ORIGINALS)("beside $name", (original) => {
  it("messages are lost where its Monitor cleans up the group that ours work on", async () => {
    const { group, place, ledger, work, add, done, tally } = await bench();
    await using python = original.consumer(place, ledger);
    await atWork(python);
    await using monitor = original.monitor(place, { batch_size: 10 }, true);
    await atWork(monitor);
    // Longer than ours take to notice that what they have read ahead is not theirs any more.
    work(group, { batchMs: 1_000 });
    work(group, { batchMs: 1_000 });
    await add(400);
    await done();
    const { messages, lost } = await tally();
    expect(messages).toBe(400);
    expect(lost).toBeGreaterThan(0);
  });

  it.each([
    { setting: "whose Monitor is told not to clean up", settings: { batch_size: 10 }, autoCleanup: false },
    {
      setting: "for whose Monitor nobody is ever unhealthy",
      settings: { batch_size: NEVER, idle_time_ms_warning_threshold: NEVER },
      autoCleanup: true,
    },
  ])("nothing is lost in one group $setting: ours take over what it leaves", async ({ settings, autoCleanup }) => {
    const { server, stream, group, place, ledger, work, add, done, tally } = await bench();
    await using monitor = original.monitor(place, settings, autoCleanup);
    await atWork(monitor);
    work();
    await using ours = new Monitor({
      redis: server.url,
      stream,
      group,
      foreignIdleMs: 1_000,
      idleThresholdMs: 1_000,
      observer: () => {},
    });
    const watching = ours.run({ intervalMs: 200, autoCleanUp: true });
    onTestFinished(() => watching);
    {
      await using python = original.consumer(place, ledger);
      await atWork(python);
      await eventually(
        "both have worked",
        async () => {
          await add(100);
          const tallied = await tally();
          return tallied.python > 10 && tallied.ours > 10;
        },
        PATIENCE,
      );
    }
    // It ended in the middle of something.
    await done();
    expect(await tally()).toMatchObject({ lost: 0 });
    await ours.close();
  });

  it("nothing is lost, and nothing done twice, in a group of our own that begins where the original's ends", async () => {
    const { server, stream, group, place, ledger, work, add, done, tally } = await bench();
    // Its clean-up goes on meanwhile, in its own group.
    await using monitor = original.monitor(place, { batch_size: 10 }, true);
    await atWork(monitor);
    {
      await using python = original.consumer(place, ledger);
      await add(100);
      await done();
      expect((await tally()).python).toBe(100);
      expect(python.passes()).toBeGreaterThan(0);
    }
    await add(MESSAGES - 100);
    const [info = []] = (await server.command("XINFO", "GROUPS", stream)) as string[][];
    work("billing-2", { startFrom: String(fields(info, "last-delivered-id")[1]) });
    await done("billing-2");
    expect(await tally()).toEqual({ messages: MESSAGES, lost: 0, ours: MESSAGES - 100, python: 100 });
    expect(group).toBe("billing");
  });
});
