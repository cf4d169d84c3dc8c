/** A stream with partitions is one stream to its user: each command does it for all of them, or says which to name. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { partitionStreams } from "@redis-batch/core";
import { uniqueName, useServer } from "@redis-batch/test-support";
import { describe, expect, it } from "vitest";
import { CALLS } from "./calls.ts";
import { expectEnd, expectSameContent, ndjson, useCli } from "./cli.ts";

const redis = useServer();
const cli = useCli(redis);
const COUNT = 3;

type Rows = readonly Readonly<Record<string, unknown>>[];

/** A stream with partitions that has a group `g` in each of them. */
async function partitioned(purpose: string): Promise<{ readonly stream: string; readonly parts: readonly string[] }> {
  const stream = uniqueName(purpose);
  const parts = partitionStreams(stream, COUNT);
  const known = JSON.stringify({ v: 1, count: COUNT, hash: "crc32", streams: parts });
  await redis.server.command("SET", `rb:{${stream}}:partitions`, known);
  for (const part of parts) await redis.server.command("XGROUP", "CREATE", part, "g", "0", "MKSTREAM");
  return { stream, parts };
}

/** One of them, by its number. */
const partOf = (parts: readonly string[], partition: number): string => parts[partition] ?? "";

/** Messages that the consumer `c` has read: their ids, and the partition of each. */
async function pendingOf(parts: readonly string[], ...messages: readonly (readonly [id: string, partition: number])[]) {
  const { server } = redis;
  for (const [id, partition] of messages) await server.command("XADD", partOf(parts, partition), id, "n", id);
  for (const part of parts) await server.command("XREADGROUP", "GROUP", "g", "c", "STREAMS", part, ">");
}

const deadKey = (part: string): string => `rb:{${part}}:dead:${part}:g`;

/** Dead letters: of each its id, its partition and its error. The entries are pending no more, and still there. */
async function failed(
  parts: readonly string[],
  ...letters: readonly (readonly [id: string, partition: number, error: string])[]
): Promise<void> {
  for (const [id, partition, error] of letters) {
    const part = partOf(parts, partition);
    await redis.server.command("XADD", part, id, "n", id);
    await redis.server.command("XGROUP", "SETID", part, "g", "$");
    const history = { id, consumer: "c", deliveries: 16, reason: "maxDeliveries", error, at: Number.parseInt(id, 10) };
    const pairs = Object.entries(history).flatMap(([name, value]) => [`dead.${name}`, String(value)]);
    await redis.server.command("XADD", deadKey(part), id, "n", id, ...pairs);
  }
}

describe("dead letters of a stream with partitions", () => {
  it("list and summary: all of them in the order of time, page by page, whichever partition has them", async () => {
    const { stream, parts } = await partitioned("letters");
    await failed(parts, ["1-0", 2, "order 7 is gone"], ["2-0", 0, "refused"], ["2-0", 1, "order 8 is gone"]);
    await failed(parts, ["3-0", 2, "refused"]);
    const args = ["dead-letters", "list", stream, "g"];
    const [table, json] = await Promise.all([cli.run(args), cli.json(args)]);
    expectSameContent(table.stdout, json);
    const idsOf = (of: Readonly<Record<string, unknown>>) => (of["letters"] as Rows).map(({ id }) => id);
    expect([json["total"], idsOf(json)]).toEqual([4, ["2/1-0", "0/2-0", "1/2-0", "2/3-0"]]);
    const first = await cli.json([...args, "--limit", "2"]);
    expect([idsOf(first), first["next"]]).toEqual([["2/1-0", "0/2-0"], "1/2-0"]);
    expect(idsOf(await cli.json([...args, "--from", String(first["next"])]))).toEqual(["1/2-0", "2/3-0"]);
    expect(idsOf(await cli.json([...args, "--newest", "--limit", "3"]))).toEqual(["2/3-0", "1/2-0", "0/2-0"]);
    expect(idsOf(await cli.json(["dead-letters", "list", partOf(parts, 2), "g"]))).toEqual(["1-0", "3-0"]);
    expect((await cli.json(["dead-letters", "summary", stream, "g"]))["errors"]).toMatchObject([
      { letters: 2, error: "refused", sample: "2/3-0" },
      { letters: 2, error: "order … is gone", sample: "1/2-0" },
    ]);
    const shown = await cli.json(["dead-letters", "show", stream, "g", "1/2-0"]);
    expect(shown).toMatchObject({ id: "1/2-0", entryId: "2-0", fields: { n: "2-0" } });
    expectEnd(await cli.run(["dead-letters", "show", stream, "g", "2-0"]), 5, "there is no dead letter 2-0");
    expectEnd(await cli.run(["dead-letters", "list", stream, "h"]), 5, 'has no group "h"');
  });

  it("redrive: the plan first, then each in its partition, with one limit and one rate for all", async () => {
    const { stream, parts } = await partitioned("redriven");
    await failed(parts, ["1-0", 2, "a"], ["2-0", 0, "a"], ["3-0", 1, "a"], ["4-0", 2, "a"]);
    const args = ["dead-letters", "redrive", stream, "g", "--all", "--limit", "3"];
    const plan = await cli.run(args);
    expectEnd(plan, 6, "Run again with --yes");
    expect(plan.stdout).toMatch(/letters +3\n/);
    const begunMs = performance.now();
    expect(await cli.json([...args, "--rate", "4", "--yes"])).toMatchObject({ redriven: 3, skipped: 0, done: true });
    expect(performance.now() - begunMs).toBeGreaterThan(490);
    const pending = await Promise.all(parts.map((part) => redis.server.command("XPENDING", part, "g")));
    expect(pending.map((one) => (one as unknown[])[0])).toEqual([1, 1, 1]);
    expect(await cli.json(["dead-letters", "redrive", stream, "g", "2/4-0", "--yes"])).toMatchObject({ redriven: 1 });
    expect(await cli.json(["dead-letters", "list", stream, "g"])).toMatchObject({ total: 0 });
  });

  it("redrive: to another stream, and never beside the partitions of one", async () => {
    const { stream, parts } = await partitioned("moved");
    await failed(parts, ["1-0", 2, "a"], ["2-0", 0, "b"]);
    const move = ["dead-letters", "redrive", stream, "g", "--all", "--yes", "--to-stream"];
    expectEnd(await cli.run([...move, stream]), 2, "has partitions", partOf(parts, 0));
    expect(await redis.server.command("EXISTS", stream)).toBe(0);
    const other = uniqueName("other");
    expect(await cli.json([...move, other])).toMatchObject({ added: 2 });
    const moved = (await redis.server.command("XRANGE", other, "-", "+")) as [string, string[]][];
    expect(moved.map(([, fields]) => fields)).toEqual([
      ["n", "1-0"],
      ["n", "2-0"],
    ]);
  });

  it("discard: by filter and by ids, those of the right partition", async () => {
    const { stream, parts } = await partitioned("discarded");
    await failed(parts, ["1-0", 0, "a"], ["1-0", 1, "a"], ["2-0", 2, "b"]);
    const discard = ["dead-letters", "discard", stream, "g"];
    expectEnd(await cli.run([...discard, "1-0", "--yes"]), 5, "there is no dead letter 1-0");
    expect(await cli.json([...discard, "1/1-0", "--yes"])).toMatchObject({ discarded: 1, done: true });
    expect(await cli.json([...discard, "--error", "b", "--yes"])).toMatchObject({ discarded: 1, done: true });
    const left = await Promise.all(parts.map((part) => redis.server.command("XLEN", deadKey(part))));
    expect(left).toEqual([1, 0, 0]);
  });

  it("export and import: each into the partition that it comes from, and into none without its name", async () => {
    const { stream, parts } = await partitioned("exported");
    await failed(parts, ["1-0", 2, "a"], ["2-0", 0, "b"]);
    const exported = await cli.run(["dead-letters", "export", stream, "g"]);
    expect(ndjson(exported.stdout).map(({ id }) => id)).toEqual(["2/1-0", "0/2-0"]);
    const other = await partitioned("imported");
    const file = join(cli.folder, "partitions.ndjson");
    const load = (text: string) => {
      writeFileSync(file, text);
      return cli.run(["dead-letters", "import", other.stream, "g", "--file", file, "--yes"]);
    };
    expectEnd(await load(exported.stdout.replace("2/1-0", "1-0")), 2, "line 1 names no partition");
    expectEnd(await load(exported.stdout.replace("2/1-0", "3/1-0")), 2, "line 1 names no partition");
    expectEnd(await load(exported.stdout), 0);
    const there = await Promise.all(other.parts.map((part) => redis.server.command("XLEN", deadKey(part))));
    expect([there, await redis.server.command("EXISTS", deadKey(other.stream))]).toEqual([[1, 0, 1], 0]);
  });
});

describe("messages of a stream with partitions", () => {
  it("pending: of all partitions in the order of time, page by page; one of them by its id", async () => {
    const { stream, parts } = await partitioned("pending");
    await pendingOf(parts, ["1-0", 2], ["2-0", 0], ["2-0", 1], ["3-0", 2]);
    const args = ["pending", stream, "g"];
    const [table, json] = await Promise.all([cli.run(args), cli.json(args)]);
    expectSameContent(table.stdout, json);
    const idsOf = (of: Readonly<Record<string, unknown>>) => (of["messages"] as Rows).map(({ id }) => id);
    expect([json["pending"], idsOf(json)]).toEqual([4, ["2/1-0", "0/2-0", "1/2-0", "2/3-0"]]);
    const first = await cli.json([...args, "--limit", "2"]);
    expect([idsOf(first), first["next"]]).toEqual([["2/1-0", "0/2-0"], "1/2-0"]);
    expect(idsOf(await cli.json([...args, "--from", "1/2-0", "--consumer", "c"]))).toEqual(["1/2-0", "2/3-0"]);
    expectEnd(await cli.run([...args, "--from", "3/2-0"]), 2, "a partition below 3");
    expectEnd(await cli.run(["pending", stream, "h"]), 5, 'has no group "h"');

    expectEnd(await cli.run(["pending", "ack", stream, "g", "2-0", "--yes"]), 2, "in which partition");
    expectEnd(await cli.run(["pending", "ack", stream, "g", "1/1-0", "--yes"]), 5, "1/1-0 is not pending");
    expectEnd(await cli.run(["pending", "ack", stream, "g", "1/2-0", "--yes"]), 0);
    expectEnd(await cli.run(["pending", "release", stream, "g", "2/1-0", "--take", "--yes"]), 0);
    expectEnd(await cli.run(["pending", "dead-letter", stream, "g", "0/2-0", "--take", "--yes"]), 0);
    const after = await cli.json(args);
    expect((after["messages"] as Rows).map(({ id, consumer }) => [id, consumer])).toEqual([
      ["2/1-0", "rb:released"],
      ["2/3-0", "c"],
    ]);
    expect(await cli.json(["dead-letters", "list", stream, "g"])).toMatchObject({ letters: [{ entryId: "2-0" }] });
  });

  it("peek: the oldest, the newest, what a group reads next, and those with a value, of all partitions", async () => {
    const { stream, parts } = await partitioned("peek");
    await pendingOf(parts, ["1-0", 2], ["2-0", 0]);
    const added = new Map([
      [1, "3-0"],
      [0, "3-0"],
      [2, "4-0"],
    ]);
    for (const [partition, id] of added) await redis.server.command("XADD", partOf(parts, partition), id, "n", id);
    const peek = async (...more: readonly string[]) =>
      ndjson((await cli.run(["peek", stream, ...more, "--json"])).stdout).map(({ id }) => id);
    expect(await peek("-n", "3")).toEqual(["2/1-0", "0/2-0", "0/3-0"]);
    expect(await peek("-n", "3", "--newest")).toEqual(["2/4-0", "1/3-0", "0/3-0"]);
    expect(await peek("g")).toEqual(["0/3-0", "1/3-0", "2/4-0"]);
    expect(await peek("--where", "n=3-0")).toEqual(["0/3-0", "1/3-0"]);
    expect(await peek("--from", "1/3-0")).toEqual(["1/3-0", "2/4-0"]);
    expect(await peek("--from", "3-0")).toEqual(["0/3-0", "1/3-0", "2/4-0"]);
    const found = await cli.run(["peek", stream, "--where", "n=4-0", "--scan", "2"]);
    expectEnd(found, 0, "0 messages found among the 2 from 2/1-0 to 0/2-0; there may be more");
    expectEnd(await cli.run(["peek", stream, "h"]), 5, 'has no group "h"');
  });

  it("tail: the last of all partitions, and then what comes, whichever partition gets it", async () => {
    const { stream, parts } = await partitioned("tail");
    await pendingOf(parts, ["1-0", 2], ["2-0", 0], ["3-0", 2]);
    const last = await cli.run(["tail", stream, "-n", "2", "--json"]);
    expect(ndjson(last.stdout).map(({ id }) => id)).toEqual(["0/2-0", "2/3-0"]);
    await using follower = await cli.start(["tail", stream, "-f", "-n", "1", "--json"]);
    await follower.waitForLine(/"2\/3-0"/);
    await redis.server.command("XADD", partOf(parts, 1), "4-0", "n", "4");
    await follower.waitForLine(/"1\/4-0"/);
    await redis.server.command("XADD", partOf(parts, 0), "5-0", "n", "5");
    await follower.waitForLine(/"0\/5-0"/);
    follower.kill("SIGINT");
    expect((await follower.exited).code).toBe(0);
    expect(follower.lines).toHaveLength(3);
  });
});

describe("groups of a stream with partitions", () => {
  it("groups and consumers: the sums of all partitions", async () => {
    const { stream, parts } = await partitioned("groups");
    await pendingOf(parts, ["1-0", 2], ["2-0", 0]);
    await redis.server.command("XADD", partOf(parts, 1), "3-0", "n", "3");
    for (const args of [
      ["groups", stream],
      ["consumers", stream, "g"],
    ]) {
      const [table, json] = await Promise.all([cli.run(args), cli.json(args)]);
      expectSameContent(table.stdout, json);
    }
    const [group] = (await cli.json(["groups", stream]))["groups"] as Rows;
    expect(group).toMatchObject({ group: "g", waiting: 1, pending: 2, consumers: 1, deadLetters: 0 });
    expect((await cli.json(["consumers", stream, "g"]))["consumers"]).toMatchObject([{ consumer: "c", pending: 2 }]);
  });

  it("streams and completion: one name, unless each partition is asked for", async () => {
    const { stream, parts } = await partitioned("listed");
    await pendingOf(parts, ["1-0", 2], ["2-0", 0], ["3-0", 0]);
    const list = async (...more: readonly string[]) =>
      (await cli.json(["streams", "--match", `${stream}*`, ...more]))["streams"] as Rows;
    expect(await list()).toEqual([
      {
        ...{ stream, length: 3, groups: 1, added: 3 },
        ...{ oldest: "1970-01-01T00:00:00.001Z", newest: "1970-01-01T00:00:00.003Z" },
      },
    ]);
    expect((await list("--all")).map((row) => row["stream"])).toEqual([...parts].toSorted());
    const names = (await cli.run(["completion", "names", "stream"])).stdout.split("\n");
    expect(names.filter((name) => name.startsWith(stream))).toEqual([stream]);
    expect((await cli.run(["completion", "names", "group", stream])).stdout).toBe("g\n");
  });

  it("create, seek, delete: in each partition, the plan first", async () => {
    const { stream, parts } = await partitioned("made");
    await pendingOf(parts, ["1-0", 2], ["2-0", 0], ["3-0", 1]);
    const groupsOf = async () =>
      (await Promise.all(parts.map((part) => redis.server.command("XINFO", "GROUPS", part)))).map(
        (groups) => (groups as unknown[]).length,
      );
    expect(await cli.json(["group", "create", stream, "h", "--from", "start"])).toMatchObject({ messages: 3 });
    expect(await groupsOf()).toEqual([2, 2, 2]);
    expectEnd(await cli.run(["group", "create", stream, "h"]), 6, "already has a group");

    const seek = ["group", "seek", stream, "h", "--to", "end"];
    expectEnd(await cli.run([...seek, "--yes"]), 6, "3 messages would never be delivered");
    expect(await cli.json([...seek, "--yes", "--skip-unread"])).toMatchObject({ passedOver: 3, done: true });
    const back = await cli.json(["group", "seek", stream, "h", "--to", "1-0", "--yes"]);
    expect(back).toMatchObject({ deliveredAgain: 2, done: true });

    const remove = ["group", "delete", stream, "g"];
    expectEnd(await cli.run([...remove, "--yes"]), 6, "3 messages are pending");
    expect(await groupsOf()).toEqual([2, 2, 2]);
    expect(await cli.json([...remove, "--lose-pending", "--yes"])).toMatchObject({ pending: 3, done: true });
    expect(await groupsOf()).toEqual([1, 1, 1]);
    expect(await redis.server.command("EXISTS", stream)).toBe(0);
  });

  it("trim: how far in each partition, and then all of them", async () => {
    const { stream, parts } = await partitioned("trim");
    await pendingOf(parts, ["1-0", 2], ["2-0", 0], ["3-0", 0]);
    await redis.server.command("XACK", partOf(parts, 0), "g", "2-0", "3-0");
    const args = ["trim", stream];
    const [table, json] = await Promise.all([cli.run(args), cli.json(args)]);
    expectSameContent(table.stdout, json);
    expect(json).toMatchObject({ length: 3, safeId: null, pinnedBy: "g", droppable: 1, done: false });
    expect((json["partitions"] as Rows).map(({ droppable }) => droppable)).toEqual([1, 0, 0]);
    expectEnd(await cli.run([...args, "--yes"]), 0, "dropped");
  });
});

/** These need a word more to do what they are for. */
const ALL_THE_WAY: Readonly<Record<string, readonly string[]>> = {
  "pending ack": ["--yes"],
  "pending release": ["--yes", "--take"],
  "pending dead-letter": ["--yes", "--take"],
  "dead-letters import": ["--yes"],
  "dead-letters redrive": ["--yes"],
  "dead-letters discard": ["--yes"],
  "group seek": ["--yes", "--skip-unread"],
  "group delete": ["--yes", "--lose-pending"],
  cleanup: ["--yes"],
  trim: ["--yes"],
  reassign: ["--yes"],
};
/** These make sense for one partition only, or for none, and say so. */
const REFUSING: Readonly<Record<string, string>> = {
  "group rate": "has partitions: a rate is kept for one stream",
  reassign: "has partitions, and each is a stream of its own",
};
// These go on until they are stopped, and are looked at elsewhere, or take no stream.
const ELSEWHERE = ["monitor serve", "top", "dashboard", "scale run", "bench", "demo"];

it("no command touches a plain stream beside the partitions", async () => {
  const names = Object.keys(CALLS).filter((name) => !ELSEWHERE.includes(name));
  const ended: Record<string, unknown> = {};
  const work = async (): Promise<void> => {
    for (let name = names.shift(); name !== undefined; name = names.shift()) {
      const { stream, parts } = await partitioned("each");
      await pendingOf(parts, ["1-1", 0]);
      await failed(parts, ["1-1", 1, "refused"]);
      const file = join(cli.folder, `${name}.ndjson`);
      writeFileSync(file, `${JSON.stringify({ ...LETTER, id: "2/1-1" })}\n`);
      const words = [...(CALLS[name] ?? []), ...(ALL_THE_WAY[name] ?? [])].map((word) =>
        word === "STREAM" ? stream : word === "LETTERS" ? file : word === "1-1" ? placeOf(name) : word,
      );
      const { code, stdout, stderr } = await cli.run([...name.split(" "), ...words]);
      const keys = (await redis.server.command("KEYS", `*${stream}*`)) as readonly string[];
      const beside = keys.filter((key) => !key.includes(`${stream}/`));
      const refusal = REFUSING[name];
      ended[name] = {
        beside: beside.filter((key) => !/:(partitions|consumers|final-reports|lease|scaler|audit)/.test(key)),
        // Of `check`, 2 is a finding.
        isRefused: code === 2 && name !== "check",
        ...(refusal === undefined ? {} : { says: stderr.includes(refusal) }),
        // With what it has found where it should not have failed.
        ...(code === 1 && !["check", "doctor", "status"].includes(name) ? { stdout, stderr } : {}),
      };
    }
  };
  const all = [...names];
  await Promise.all([work(), work(), work()]);
  const expected = (name: string) => {
    const isRefused = REFUSING[name] !== undefined;
    return { beside: [], isRefused, ...(isRefused ? { says: true } : {}) };
  };
  expect(ended).toEqual(Object.fromEntries(all.map((name) => [name, expected(name)])));
});

const LETTER = { entryId: "1-1", at: "2026-01-31T12:00:00Z", deliveries: 1, reason: "rejected", fields: { a: "1" } };

/** The message that is pending, or the dead letter. */
const placeOf = (name: string): string => (name.startsWith("pending") ? "0/1-1" : "1/1-1");
