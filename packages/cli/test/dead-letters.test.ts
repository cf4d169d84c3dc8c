import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { uniqueName, useServer } from "@redis-batch/test-support";
import { describe, expect, it } from "vitest";
import { expectEnd, expectSameContent, ndjson, useCli } from "./cli.ts";

const redis = useServer();
const cli = useCli(redis);

/** A group with these errors as dead letters, oldest first, a second apart. */
async function failed(purpose: string, ...errors: readonly string[]) {
  const stream = uniqueName(purpose);
  await redis.server.command("XADD", stream, "1-1", "n", 1);
  await redis.server.command("XGROUP", "CREATE", stream, "g", "$");
  for (const [at, error] of errors.entries()) {
    const history = {
      id: `1-${at + 1}`,
      consumer: "c",
      deliveries: 16,
      reason: "maxDeliveries",
      error,
      at: 1_000 * at + 1,
    };
    const pairs = Object.entries(history).flatMap(([name, value]) => [`dead.${name}`, String(value)]);
    await redis.server.command(
      "XADD",
      `rb:{${stream}}:dead:${stream}:g`,
      `${at + 1}-0`,
      "n",
      at,
      "é",
      "\u00ff",
      ...TRACE,
      ...pairs,
    );
  }
  return stream;
}

/** What a producer with an instrumentation adds: it belongs to the message. */
const TRACE = ["rb:traceparent", `00-${"a".repeat(32)}-${"b".repeat(16)}-01`];

type Rows = readonly Readonly<Record<string, unknown>>[];

describe("dead-letters", () => {
  it("list: the newest first, by their errors, page by page", async () => {
    const stream = await failed("newest", "timeout 1", "refused", "Timeout 2", "timeout 3");
    const list = (...more: readonly string[]) => cli.json(["dead-letters", "list", stream, "g", ...more]);
    const idsOf = ({ letters }: Readonly<Record<string, unknown>>) => (letters as Rows).map(({ id }) => id);
    const first = await list("--newest", "--error", "timeout", "--limit", "2");
    expect(idsOf(first)).toEqual(["4-0", "3-0"]);
    expect(idsOf(await list("--newest", "--error", "timeout", "--from", String(first["next"])))).toEqual(["1-0"]);
    expect(idsOf(await list("--error", "nothing like it"))).toEqual([]);
    const plan = await cli.json(["dead-letters", "discard", stream, "g", "--error", "refused", "--dry-run"]);
    expect(plan).toMatchObject({ letters: 1 });
  });

  it("summary: errors that differ in numbers only are one, the largest first, with first, last and a sample", async () => {
    const stream = await failed("summary", "order 17 is gone", "refused", "order 9 is gone", "order 4711 is gone");
    const args = ["dead-letters", "summary", stream, "g"];
    const [table, json] = await Promise.all([cli.run(args), cli.json(args)]);
    expectSameContent(table.stdout, json);
    expect(json).toMatchObject({ examined: 4, all: true });
    expect(json["errors"]).toEqual([
      {
        ...{ letters: 3, reason: "maxDeliveries", error: "order … is gone", sample: "4-0" },
        ...{ first: "1970-01-01T00:00:00.001Z", last: "1970-01-01T00:00:03.001Z" },
      },
      expect.objectContaining({ letters: 1, error: "refused" }),
    ]);
    expect(await cli.json([...args, "--limit", "2"])).toMatchObject({ examined: 2, all: false });
  });

  it("export and import: the whole message with its history, byte for byte", async () => {
    const stream = await failed("export", "order 17 is gone", "refused");
    const exported = await cli.run(["dead-letters", "export", stream, "g"]);
    expectEnd(exported, 0);
    expect(ndjson(exported.stdout)).toMatchObject([
      { id: "1-0", entryId: "1-1", error: "order 17 is gone", deliveries: 16 },
      { id: "2-0", entryId: "1-2", error: "refused" },
    ]);
    const file = join(cli.folder, "letters.ndjson");
    writeFileSync(file, exported.stdout);
    await redis.server.command("XGROUP", "CREATE", stream, "h", "$");
    const args = ["dead-letters", "import", stream, "h", "--file", file];
    expectEnd(await cli.run(args), 6, "to import", "Run again with --yes");
    expect(await cli.json([...args, "--yes"])).toMatchObject({ imported: 2, done: true });
    const again = await cli.run(["dead-letters", "export", stream, "h"]);
    const withoutId = (text: string) => ndjson(text).map(({ id, ...rest }) => [typeof id, rest]);
    expect(withoutId(again.stdout)).toEqual(withoutId(exported.stdout));
    const piped = ["dead-letters", "import", stream, "h"];
    expectEnd(await cli.run(piped, { input: exported.stdout }), 2, "can be read once only");
    const some = await cli.run([...piped, "--yes"], { input: `${exported.stdout}{"n":1}\n` });
    expectEnd(some, 2, "line 3 is not a dead letter", "2 were imported before this failed");
    expect(await cli.json(["dead-letters", "list", stream, "h"])).toMatchObject({ total: 4 });
    writeFileSync(file, `${exported.stdout}{"n":1}\n`);
    const none = await cli.run([...args, "--yes"]);
    expectEnd(none, 2, "line 3 is not a dead letter");
    expect(none.stderr).not.toContain("were imported");
    expect(await cli.json(["dead-letters", "list", stream, "h"])).toMatchObject({ total: 4 });
    expectEnd(await cli.run(["dead-letters", "import", stream, "h", "--file", "/nowhere"]), 2, "cannot be read");
  });

  it("discard: no faster than they are told", async () => {
    const stream = await failed("slowly", "a", "b", "c");
    const begunMs = performance.now();
    const args = ["dead-letters", "discard", stream, "g", "--all", "--rate", "4", "--yes"];
    expect(await cli.json(args)).toMatchObject({ discarded: 3 });
    expect(performance.now() - begunMs).toBeGreaterThan(490);
    expect(await cli.json(["dead-letters", "list", stream, "g"])).toMatchObject({ total: 0 });
    expectEnd(await cli.run([...args.slice(0, -2), "0", "--yes"]), 2, "--rate");
  });

  it("redrive: to another stream, no faster than it is told", async () => {
    const stream = await failed("elsewhere", "a", "b", "c");
    const other = uniqueName("other");
    const begunMs = performance.now();
    const args = ["dead-letters", "redrive", stream, "g", "--all", "--to-stream", other, "--rate", "4", "--yes"];
    expect(await cli.json(args)).toMatchObject({ redriven: 0, added: 3, skipped: 0 });
    expect(performance.now() - begunMs).toBeGreaterThan(490);
    const moved = (await redis.server.command("XRANGE", other, "-", "+")) as [string, string[]][];
    expect(moved.map(([, fields]) => fields)).toEqual([0, 1, 2].map((n) => ["n", String(n), "é", "\u00ff", ...TRACE]));
    expect(await cli.json(["dead-letters", "list", stream, "g"])).toMatchObject({ total: 0 });
    expect(await redis.server.command("XLEN", stream)).toBe(1);
  });
});
