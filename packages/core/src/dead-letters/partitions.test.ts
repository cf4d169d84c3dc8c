/** Dead letters of a stream with partitions, as those of one stream. */
import { addEntry, ManualClock } from "@redis-batch/test-support";
import { createMemoryServer } from "@redis-batch/testing/internal";
import { describe, expect, onTestFinished, test } from "vitest";
import { ConfigError } from "../errors/errors.ts";
import { assurePartitions } from "../groups/partition-count.ts";
import { partitionStreams } from "../names/partitions.ts";
import { RELEASED } from "../names/reserved-consumers.ts";
import { DeadLetters } from "./dead-letters.ts";

const GROUP = "billing";
const STREAMS = partitionStreams("orders", 3);

async function setUp() {
  const clock = new ManualClock();
  const redis = createMemoryServer({ clock });
  const client = redis.client();
  await client.connect(["commands", "reader"], { timeoutMs: 1_000 });
  await assurePartitions(client, { stream: "orders", partitions: 3 });
  for (const stream of STREAMS) await client.xgroupCreate({ stream, group: GROUP, position: "start" });
  const open = (stream: string): DeadLetters => {
    const letters = new DeadLetters(
      { redis: "redis://nowhere", stream, group: GROUP },
      { createClient: (report) => redis.client({ report }) },
    );
    onTestFinished(() => letters.close());
    return letters;
  };
  /** A dead letter in each of these partitions, one after the other or at the same moment. */
  const deadLetter = async (partitions: readonly number[], { apartMs = 1, error = "" } = {}): Promise<void> => {
    for (const [n, partition] of partitions.entries()) {
      const stream = STREAMS[partition] ?? "";
      const id = await addEntry(client, { stream, fields: ["n", String(n)] });
      await client.xreadgroup({ stream, group: GROUP, consumer: "c1", count: 1 });
      await client.moveToDeadLetters({ stream, group: GROUP, consumer: "c1", id, reason: "rejected", error });
      await clock.advance(apartMs);
    }
  };
  const pendingIn = async (partition: number): Promise<number> =>
    (await client.xpendingSummary({ stream: STREAMS[partition] ?? "", group: GROUP })).consumers.get(RELEASED) ?? 0;
  return { client, deadLetters: open("orders"), open, deadLetter, pendingIn };
}

const numbers = (letters: readonly { readonly fields: Readonly<Record<string, string>> }[]) =>
  letters.map(({ fields }) => Number(fields["n"]));

describe("dead letters of a stream with partitions", () => {
  test("are one list in the order of time, page by page, each once, whichever way", async () => {
    const { deadLetters, deadLetter } = await setUp();
    await deadLetter(Array.from({ length: 40 }, (_, n) => (n * n) % 3));
    for (const newestFirst of [false, true]) {
      const seen: number[] = [];
      let page = await deadLetters.list({ limit: 7, newestFirst });
      seen.push(...numbers(page.letters));
      while (page.next !== null) {
        page = await deadLetters.list({ limit: 7, newestFirst, from: page.next });
        seen.push(...numbers(page.letters));
      }
      const all = Array.from({ length: 40 }, (_, n) => n);
      expect(seen).toEqual(newestFirst ? all.toReversed() : all);
    }
    expect(await deadLetters.count()).toBe(40);
    const looped: number[] = [];
    for await (const letter of deadLetters) looped.push(...numbers([letter]));
    expect(looped).toEqual(Array.from({ length: 40 }, (_, n) => n));
  });

  test("of the same moment have the same id but for their partitions, and each is named", async () => {
    const { deadLetters, deadLetter } = await setUp();
    await deadLetter([2, 0, 1], { apartMs: 0 });
    const { letters } = await deadLetters.list();
    const [id = ""] = letters.map((letter) => letter.id.replace("0/", ""));
    expect(letters.map((letter) => [letter.id, letter.partition])).toEqual([
      [`0/${id}`, 0],
      [`1/${id}`, 1],
      [`2/${id}`, 2],
    ]);
    // One at a time, so that a page ends between letters of the same id.
    const first = await deadLetters.list({ limit: 1 });
    expect(first.next).toBe(`1/${id}`);
    expect((await deadLetters.list({ limit: 1, from: first.next ?? "" })).letters[0]?.id).toBe(`1/${id}`);
    expect(await deadLetters.discard({ ids: [`1/${id}`] })).toBe(1);
    expect((await deadLetters.list()).letters.map((letter) => letter.id)).toEqual([`0/${id}`, `2/${id}`]);
  });

  test("without its partition an id is refused, and nothing is done: it could be any of several", async () => {
    const { deadLetters, open, deadLetter } = await setUp();
    await deadLetter([0, 1], { apartMs: 0 });
    const [letter] = (await deadLetters.list()).letters;
    const bare = letter?.id.slice(2) ?? "";
    const refused = { message: expect.stringContaining(`0/${bare} is in the first`) as string };
    await expect(deadLetters.discard({ ids: [letter?.id ?? "", bare] })).rejects.toMatchObject(refused);
    await expect(deadLetters.redrive({ ids: [bare] })).rejects.toMatchObject(refused);
    await expect(deadLetters.discard({ ids: [`3/${bare}`] })).rejects.toThrow("from 0 to 2");
    expect(await deadLetters.count()).toBe(2);
    const part = open(STREAMS[0] ?? "");
    await expect(part.discard({ ids: [`0/${bare}`] })).rejects.toThrow("the stream has none");
    expect(await part.discard({ ids: [bare] })).toBe(1);
    expect((await deadLetters.list()).letters.map(({ id }) => id)).toEqual([`1/${bare}`]);
  });

  test("are redriven each in its partition, the oldest first, with one limit for all", async () => {
    const { deadLetters, deadLetter, pendingIn } = await setUp();
    await deadLetter([2, 0, 1, 1, 0, 2]);
    const report = await deadLetters.redrive({ filter: "all", limit: 4 });
    expect(report).toMatchObject({ redriven: 4, skipped: 0, missing: 0 });
    expect(await Promise.all([0, 1, 2].map(pendingIn))).toEqual([1, 2, 1]);
    const rest = await deadLetters.redrive({ filter: "all", from: report.next ?? "" });
    expect(rest).toMatchObject({ redriven: 2, next: null });
    expect(await Promise.all([0, 1, 2].map(pendingIn))).toEqual([2, 2, 2]);
  });

  test("are counted together by what went wrong, and discarded together", async () => {
    const { deadLetters, deadLetter } = await setUp();
    await deadLetter([0, 1, 2], { error: "order 17 is gone" });
    await deadLetter([1], { error: "refused" });
    const { groups, examined, isAll } = await deadLetters.summarise();
    expect([groups.map(({ letters, error }) => [letters, error]), examined, isAll]).toEqual([
      [
        [3, "order … is gone"],
        [1, "refused"],
      ],
      4,
      true,
    ]);
    expect(groups[0]?.sampleId).toMatch(/^2\//);
    expect(await deadLetters.summarise({ limit: 2 })).toMatchObject({ examined: 2, isAll: false });
    expect(await deadLetters.discard({ filter: { error: "gone" }, limit: 2 })).toBe(2);
    expect((await deadLetters.list()).letters.map(({ partition }) => partition)).toEqual([2, 1]);
  });

  test("go to another stream, and never beside the partitions of one", async () => {
    const { client, deadLetters, deadLetter } = await setUp();
    await deadLetter([0, 2]);
    const refused = deadLetters.redrive({ filter: "all", toStream: "orders" });
    await expect(refused).rejects.toBeInstanceOf(ConfigError);
    await expect(refused).rejects.toThrow(`"orders" has 3 partitions: name one of them, such as "${STREAMS[0]}"`);
    expect([await client.xlen({ stream: "orders" }), await deadLetters.count()]).toEqual([0, 2]);
    expect(await deadLetters.redrive({ filter: "all", toStream: "elsewhere" })).toMatchObject({ added: 2 });
    expect([await client.xlen({ stream: "elsewhere" }), await deadLetters.count()]).toEqual([2, 0]);
  });
});
