import { PermissionError } from "@redis-batch/core";
import type { StreamClient } from "@redis-batch/core/internal/connection";
import { addEntry, ManualClock } from "@redis-batch/test-support";
import { createMemoryServer } from "@redis-batch/testing/internal";
import { describe, expect, it } from "vitest";
import { SharedReads } from "./shared-reads.ts";

const group = "billing";

async function open(...streams: readonly string[]) {
  const clock = new ManualClock();
  const redis = createMemoryServer({ clock });
  const client = redis.client();
  await client.connect(["commands", "reader"], { timeoutMs: 1_000 });
  for (const stream of streams) await client.xgroupCreate({ stream, group, position: "start" });
  /** What each command has asked for. */
  const sent: { streams: readonly string[]; count: number; waits: boolean }[] = [];
  /** Whether the user may read each stream, but not several with one command. */
  const onlyAlone = { is: false };
  const watched = Object.create(client, {
    xreadgroupMany: {
      value: (...[options, signal]: Parameters<StreamClient["xreadgroupMany"]>) => {
        sent.push({ streams: options.streams, count: options.count, waits: options.blockMs !== undefined });
        if (onlyAlone.is && options.streams.length > 1) {
          return Promise.reject(new PermissionError("NOPERM", { command: "xreadgroup" }));
        }
        return client.xreadgroupMany(options, signal);
      },
    },
  }) as StreamClient;
  const reads = new SharedReads({ client: watched, clock, group, name: "me" });
  const read = (stream: string, count = 10, blockMs: number | null = 1_000, signal?: AbortSignal) =>
    reads.read({ stream, count, blockMs: blockMs ?? undefined }, signal ?? new AbortController().signal);
  const add = async (stream: string, count = 1): Promise<void> => {
    for (let more = count; more > 0; more--) await addEntry(client, { stream, fields: ["n", "1"] });
  };
  return { clock, redis, client, sent, onlyAlone, read, add };
}

const turns = async (count = 10): Promise<void> => {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve));
};

describe("SharedReads", () => {
  it("puts what is wanted at the same time into one command, which wakes up only who has something", async () => {
    const { sent, read, add, clock } = await open("a", "b");
    const [a, b] = [read("a"), read("b")];
    await turns();
    expect(sent).toEqual([{ streams: ["a", "b"], count: 10, waits: true }]);
    await add("b");
    expect(await b).toHaveLength(1);
    await turns();
    expect(sent.at(-1)).toEqual({ streams: ["a"], count: 10, waits: true });
    await clock.advance(1_000);
    expect(await a).toEqual([]);
  });

  it("takes in who comes while it waits", async () => {
    const { sent, read, add, clock } = await open("a", "b");
    const a = read("a");
    await turns();
    const b = read("b");
    await turns();
    expect(sent.map(({ streams }) => streams)).toEqual([["a"], ["a", "b"]]);
    await add("a");
    expect(await a).toHaveLength(1);
    await clock.advance(1_000);
    expect(await b).toEqual([]);
  });

  it("pauses between reads where each stream may be read, but not several with one command", async () => {
    const { sent, read, add, clock, onlyAlone } = await open("a", "b");
    onlyAlone.is = true;
    const waiting = [read("a"), read("b")];
    await turns(1_000);
    // Together, each alone, and together once more, which is the second refusal.
    expect(sent.map(({ streams }) => streams.join())).toEqual(["a,b", "a", "b", "a,b"]);
    await add("b");
    await clock.advance(250);
    expect(await waiting[1]).toHaveLength(1);
    await clock.advance(1_000);
    expect(await waiting[0]).toEqual([]);
  });

  it("gives nobody more than wanted, and those who want much all the same what they want", async () => {
    const { read, add } = await open("a", "b");
    await add("a", 100);
    await add("b", 100);
    const [few, many] = [read("a", 1), read("b", 80)];
    expect([(await few).length, (await many).length]).toEqual([1, 80]);
  });

  it("answers at once who does not want to wait, and leaves the others waiting", async () => {
    const { read, sent, clock } = await open("a", "b");
    const waiting = read("a");
    expect(await read("b", 10, null)).toEqual([]);
    await turns();
    expect(sent.at(-1)).toMatchObject({ streams: ["a"], waits: true });
    await clock.advance(1_000);
    expect(await waiting).toEqual([]);
  });

  it("ends the wait of one whose signal aborts, and of nobody else", async () => {
    const { read, add } = await open("a", "b");
    const aborter = new AbortController();
    const [ended, going] = [read("a", 10, 1_000, aborter.signal), read("b")];
    await turns();
    aborter.abort();
    expect(await ended).toEqual([]);
    await add("b");
    expect(await going).toHaveLength(1);
  });

  it("gives an error to the stream that it is about, and reads that one alone until it can be read", async () => {
    const { client, read, add, sent } = await open("a", "b");
    await client.xgroupDestroy({ stream: "a", group });
    const [bad, good] = [read("a"), read("b")];
    await expect(bad).rejects.toMatchObject({ code: "NO_GROUP" });
    await add("b");
    expect(await good).toHaveLength(1);
    const [still, other] = [read("a"), read("b")];
    await expect(still).rejects.toMatchObject({ code: "NO_GROUP" });
    await turns();
    expect(sent.at(-1)).toMatchObject({ streams: ["b"], waits: true });
    await client.xgroupCreate({ stream: "a", group, position: "start" });
    const again = read("a");
    await turns();
    expect(sent.at(-1)).toMatchObject({ streams: ["b", "a"], waits: true });
    await add("a");
    await add("b");
    expect([(await again).length, (await other).length]).toEqual([1, 1]);
  });

  it("gives a lost connection to everybody", async () => {
    const { redis, read } = await open("a", "b");
    const both = [read("a"), read("b")].map((one) => one.catch((error: unknown) => error));
    await turns();
    redis.drop("reader");
    expect(await Promise.all(both)).toEqual([
      expect.objectContaining({ code: "CONNECTION", outcome: "unknown" }),
      expect.objectContaining({ code: "CONNECTION", outcome: "unknown" }),
    ]);
  });
});
