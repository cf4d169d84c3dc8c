import { addEntry, EventRecorder, ManualClock } from "@redis-batch/test-support";
import { createMemoryServer } from "@redis-batch/testing/internal";
import { describe, expect, onTestFinished, test } from "vitest";
import { ConnectionError } from "../errors/errors.ts";
import { groupKey } from "../names/keys.ts";
import { RELEASED } from "../names/reserved-consumers.ts";
import { DeadLetters } from "./dead-letters.ts";
import type { DeadLettersEvent } from "./events.ts";
import type { DeadLetter } from "./letter.ts";

const STREAM = "orders";
const ADDRESS = { stream: STREAM, group: "billing" } as const;

/** Dead letters over a Redis in memory, and a client to look and change beside it. */
async function setUp() {
  const clock = new ManualClock();
  const redis = createMemoryServer({ clock });
  const client = redis.client();
  await client.connect(["commands", "reader"], { timeoutMs: 1_000 });
  await client.xgroupCreate({ ...ADDRESS, position: "start" });
  const events = new EventRecorder<DeadLettersEvent>();
  const deadLetters = new DeadLetters(
    { redis: "redis://nowhere", ...ADDRESS, observer: events.observe },
    { createClient: (report) => redis.client({ report }) },
  );
  onTestFinished(() => deadLetters.close());
  /** Adds this many messages, moves them to the dead letters, and returns their ids. */
  const deadLetter = async (count: number, reason = "rejected", bytes = 1): Promise<string[]> => {
    const ids: string[] = [];
    for (let n = 0; n < count; n++) {
      const id = await addEntry(client, { stream: STREAM, fields: ["n", Buffer.alloc(bytes, `${n}`)] });
      await client.xreadgroup({ ...ADDRESS, consumer: "c1", count: 1 });
      await client.moveToDeadLetters({ ...ADDRESS, consumer: "c1", id, reason, error: "" });
      ids.push(id);
    }
    return ids;
  };
  const pendingIds = async () => {
    const pending = await client.xpendingRange({ ...ADDRESS, from: "-", to: "+", count: 10_000 });
    return pending.map(({ id }) => id);
  };
  return { clock, redis, client, events, deadLetters, deadLetter, pendingIds };
}

const entryIds = (letters: readonly DeadLetter[]): string[] => letters.map(({ entryId }) => entryId);

describe("list", () => {
  test("gives the letters page by page, each once", async () => {
    const { deadLetters, deadLetter } = await setUp();
    const ids = await deadLetter(25);
    const first = await deadLetters.list({ limit: 10 });
    const second = await deadLetters.list({ limit: 10, from: first.next ?? "" });
    const third = await deadLetters.list({ limit: 10, from: second.next ?? "" });
    expect([first, second, third].map(({ letters }) => entryIds(letters))).toEqual([
      ...[ids.slice(0, 10), ids.slice(10, 20), ids.slice(20)],
    ]);
    expect(third.next).toBeNull();
  });

  test("is empty for a group without dead letters", async () => {
    const { deadLetters } = await setUp();
    expect(await deadLetters.list()).toEqual({ letters: [], next: null, foreign: 0 });
    expect(await deadLetters.count()).toBe(0);
  });

  test("reads on until a filter has filled the page", async () => {
    const { deadLetters, deadLetter } = await setUp();
    await deadLetter(150);
    const wanted = await deadLetter(5, "undecodable");
    await deadLetter(50);
    const page = await deadLetters.list({ filter: { reason: "undecodable" }, limit: 3 });
    expect(entryIds(page.letters)).toEqual(wanted.slice(0, 3));
    const rest = await deadLetters.list({ filter: { reason: "undecodable" }, limit: 3, from: page.next ?? "" });
    expect(entryIds(rest.letters)).toEqual(wanted.slice(3));
    expect(rest.next).toBeNull();
  });

  test("ends a page early where letters are large, and loses none", async () => {
    const { deadLetters, deadLetter } = await setUp();
    const ids = await deadLetter(20, "rejected", 1_048_576);
    const first = await deadLetters.list();
    expect(first.letters).toHaveLength(16);
    const second = await deadLetters.list({ from: first.next ?? "" });
    expect(entryIds([...first.letters, ...second.letters])).toEqual(ids);
  });

  test("counts what is no letter of ours, and leaves it out", async () => {
    const { client, deadLetters, deadLetter } = await setUp();
    await deadLetter(1);
    await addEntry(client, { stream: groupKey("dead", STREAM, "billing"), fields: ["a", "1"] });
    expect(await deadLetters.list()).toMatchObject({ letters: [{ reason: "rejected" }], foreign: 1 });
    expect(await deadLetters.count()).toBe(2);
    expect((await deadLetters.redrive({ filter: "all" })).letters).toHaveLength(1);
    expect(await deadLetters.count()).toBe(1);
  });
});

describe("the loop over all letters", () => {
  test("ends with the letters that were there when it began, though each is redriven and fails again", async () => {
    const { client, deadLetters, deadLetter } = await setUp();
    const ids = await deadLetter(30);
    const seen: string[] = [];
    for await (const letter of deadLetters) {
      seen.push(letter.entryId);
      await deadLetters.redrive({ ids: [letter.id] });
      const claim = { ...ADDRESS, from: RELEASED, to: "c1", ids: [letter.entryId] };
      await client.handOver({ ...claim, foreignIdleMs: 0, toUnregistered: true });
      await client.moveToDeadLetters({ ...ADDRESS, consumer: "c1", id: letter.entryId, reason: "rejected", error: "" });
    }
    expect(seen).toEqual(ids);
    expect(await deadLetters.count()).toBe(30);
  });
});

describe("redrive", () => {
  test("reports the result of each id, in the order given", async () => {
    const { client, deadLetters, deadLetter, events, pendingIds } = await setUp();
    const [first = "", second = "", third = ""] = await deadLetter(3);
    await client.xdel({ stream: STREAM, ids: [second] });
    const ids = (await deadLetters.list()).letters.map(({ id }) => id);
    const report = await deadLetters.redrive({ ids: [ids[2] ?? "", ids[1] ?? "", "1-1", ids[0] ?? ""] });
    expect(report).toEqual({
      ...{ redriven: 2, added: 0, skipped: 1, missing: 1, next: null },
      letters: [
        { id: ids[2], kind: "redriven", entryId: third },
        { id: ids[1], kind: "skipped", why: "entry-trimmed" },
        { id: "1-1", kind: "missing" },
        { id: ids[0], kind: "redriven", entryId: first },
      ],
    });
    expect(await pendingIds()).toEqual([first, third]);
    expect(events.all("redriven")).toEqual([{ type: "redriven", redriven: 2, added: 0, skipped: 1, missing: 1 }]);
  });

  test("takes no more than its limit, and says where to go on past what it skipped", async () => {
    const { client, deadLetters, deadLetter, pendingIds } = await setUp();
    const ids = await deadLetter(50);
    await client.xdel({ stream: STREAM, ids: ids.slice(0, 30) });
    const seen: string[] = [];
    let from = "0-0";
    for (let next: string | null = from; next !== null; from = next ?? from) {
      const report = await deadLetters.redrive({ filter: "all", limit: 20, from });
      seen.push(...report.letters.map(({ kind }) => kind));
      next = report.next;
    }
    expect(seen).toEqual([...ids.slice(0, 30).map(() => "skipped"), ...ids.slice(30).map(() => "redriven")]);
    expect(await pendingIds()).toEqual(ids.slice(30));
    expect(await deadLetters.count()).toBe(30);
  });

  test("takes only what the filter picks", async () => {
    const { deadLetters, deadLetter, pendingIds } = await setUp();
    await deadLetter(3, "rejected");
    const ids = await deadLetter(3, "undecodable");
    const report = await deadLetters.redrive({
      filter: ({ reason, entryId }) => reason !== "rejected" && entryId !== ids[1],
    });
    expect(report).toMatchObject({ redriven: 2, next: null });
    expect(await pendingIds()).toEqual([ids[0], ids[2]]);
  });

  test("leaves alone what is dead-lettered while it runs", async () => {
    const { deadLetters, deadLetter } = await setUp();
    await deadLetter(30);
    let late: Promise<unknown> | undefined;
    const report = await deadLetters.redrive({
      filter: (): boolean => {
        late ??= deadLetter(5);
        return true;
      },
    });
    await late;
    expect(report.redriven).toBe(30);
    expect(await deadLetters.count()).toBe(5);
  });

  test("that fails has told how far it came, and can be repeated", async () => {
    const { redis, deadLetters, deadLetter, events, pendingIds } = await setUp();
    const ids = await deadLetter(50);
    const seen: number[] = [];
    const lost = new ConnectionError("gone", { outcome: "unknown" });
    const redriving = deadLetters.redrive({
      filter: "all",
      onProgress: ({ redriven }) => {
        seen.push(redriven);
        // The reply to one is lost on its way: the server has done it.
        if (redriven === 30) redis.failNext("redrive", lost, { moment: "after" });
      },
    });
    await expect(redriving).rejects.toBe(lost);
    // What was sent together with it has ended too, before the call did.
    expect(seen.at(-1)).toBe(events.all("redriven")[0]?.redriven);
    expect(await deadLetters.redrive({ filter: "all" })).toMatchObject({ skipped: 0, missing: 0 });
    expect(await pendingIds()).toEqual(ids);
    expect(await deadLetters.count()).toBe(0);
  });

  test("ends with its signal, after what is under way", async () => {
    const { deadLetters, deadLetter, pendingIds, events } = await setUp();
    await deadLetter(100);
    const abort = new AbortController();
    const redriving = deadLetters.redrive({
      ...{ filter: "all", signal: abort.signal },
      onProgress: ({ redriven }) => {
        if (redriven === 30) abort.abort(new Error("enough"));
      },
    });
    await expect(redriving).rejects.toThrow("enough");
    expect(events.all("redriven")).toMatchObject([{ redriven: 30 }]);
    expect(await pendingIds()).toHaveLength(30);
    expect(await deadLetters.count()).toBe(70);
  });
});

describe("discard", () => {
  test("deletes what it is told to, and nothing in the stream", async () => {
    const { client, deadLetters, deadLetter, events } = await setUp();
    await deadLetter(10, "rejected");
    const kept = await deadLetter(4, "undecodable");
    expect(await deadLetters.discard({ filter: { reason: "rejected" }, limit: 6 })).toBe(6);
    expect(await deadLetters.discard({ filter: { reason: "rejected" } })).toBe(4);
    const { letters } = await deadLetters.list();
    expect(entryIds(letters)).toEqual(kept);
    expect(await deadLetters.discard({ ids: [letters[0]?.id ?? "", "1-1"] })).toBe(1);
    expect(await client.xlen({ stream: STREAM })).toBe(14);
    expect(events.all("discarded").map(({ discarded }) => discarded)).toEqual([6, 4, 1]);
  });

  test("needs to be told which, or that all are meant", async () => {
    const { deadLetters, deadLetter } = await setUp();
    await deadLetter(2);
    await expect(deadLetters.discard({} as { ids: [] })).rejects.toMatchObject({ code: "CONFIG" });
    await expect(deadLetters.discard({ filter: {} })).rejects.toMatchObject({ code: "CONFIG" });
    expect(await deadLetters.discard({ filter: "all" })).toBe(2);
  });
});

describe("closing", () => {
  test("ends calls under way, refuses later ones, and may come twice", async () => {
    const { redis, deadLetters, deadLetter, events } = await setUp();
    await deadLetter(100);
    const held = redis.hold("redrive");
    const redriving = deadLetters.redrive({ filter: "all" });
    const refusal = redriving.catch((error: unknown) => error);
    await events.waitFor("connected");
    await new Promise<void>((resolve) => {
      const look = (): void => (held.count > 0 ? resolve() : queueMicrotask(look));
      look();
    });
    const closing = Promise.all([deadLetters.close(), deadLetters.close()]);
    held.release();
    await closing;
    expect(await refusal).toMatchObject({ code: "USAGE" });
    await expect(deadLetters.count()).rejects.toMatchObject({ code: "USAGE" });
    expect(events.events.map(({ type }) => type)).toEqual(["connected", "redriven", "closed"]);
    expect(events.all("redriven")).toMatchObject([{ redriven: 10 }]);
  });

  test("of what was never used opens no connection", async () => {
    const { deadLetters, events } = await setUp();
    await deadLetters[Symbol.asyncDispose]();
    expect(events.events).toEqual([{ type: "closed" }]);
  });
});

test("tells the key of their stream", async () => {
  const { deadLetters } = await setUp();
  expect(deadLetters.key).toBe("rb:{orders}:dead:orders:billing");
});
