import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { partitionStreams } from "@redis-batch/core";
import { eventually, needsOwnServer, RedisServer, uniqueName, useServer } from "@redis-batch/test-support";
import { describe, expect, it } from "vitest";
import { expectEnd, needsTool, useCli } from "./cli.ts";

const redis = useServer();
const cli = useCli(redis);

async function entries(stream: string): Promise<string[][]> {
  const all: [string, string[]][] = [];
  for (let from = "-"; ; from = `(${all.at(-1)?.[0]}`) {
    const page = (await redis.server.command("XRANGE", stream, from, "+", "COUNT", 5_000)) as typeof all;
    if (page.length === 0) return all.map(([, fields]) => fields.map(String));
    all.push(...page);
  }
}

describe("produce", () => {
  it("gives every message the one key that is given, which says where it goes", async () => {
    const stream = uniqueName("keyed");
    const of = async (part: string) => (await entries(part)).map((fields) => fields.join(" "));
    const produce = ["produce", stream, "--partitions", "3", "--key"];
    expectEnd(await cli.run([...produce, "ada", "n=1"]), 0);
    expectEnd(await cli.run([...produce, "ada"], { input: '{"n":2}\n{"n":3}\n' }), 0);
    expectEnd(await cli.run([...produce, "bob", "n=4"]), 0);
    const all = await Promise.all(partitionStreams(stream, 3).map(of));
    expect(all.filter((one) => one.some((text) => text.includes("ada")))).toHaveLength(1);
    expect(all.flat().toSorted()).toEqual(["n 1 key ada", "n 2 key ada", "n 3 key ada", "n 4 key bob"]);
    const plain = uniqueName("plain");
    expectEnd(await cli.run(["produce", plain, "--key", "ada", "n=1"]), 0);
    expect(await of(plain)).toEqual(["n 1 key ada"]);
    expectEnd(await cli.run(["produce", plain, "--key", "a", "--key-field", "n", "n=1"]), 2, "exclude each other");
    expectEnd(await cli.run(["produce", plain, "--key", "", "n=1"]), 2, "--key must not be empty");
    expectEnd(await cli.run(["produce", plain, "--key", "ada", "key=bob"]), 2, "key");
  });

  it("adds one message from the arguments, and says the same as a table and as JSON", async () => {
    const stream = uniqueName("args");
    const table = await cli.run(["produce", stream, "order=A-17", "note=a=b"]);
    expect(table).toMatchObject({ code: 0, stderr: "" });
    const json = await cli.json(["produce", stream, "order=A-18"]);
    const ids = ((await redis.server.command("XRANGE", stream, "-", "+")) as [string][]).map(([id]) => id);
    expect(await entries(stream)).toEqual([
      ["order", "A-17", "note", "a=b"],
      ["order", "A-18"],
    ]);
    expect(json).toEqual({ added: 1, duplicates: 0, skipped: 0, firstId: ids[1], lastId: ids[1] });
    expect(
      table.stdout
        .split("\n")
        .filter(Boolean)
        .map((line) => line.split(/ {2,}/)),
    ).toEqual([
      ["added", "1"],
      ["duplicates", "0"],
      ["skipped", "0"],
      ["first id", ids[0]],
      ["last id", ids[0]],
    ]);
  });

  it("reads NDJSON from standard input, and what consume prints, bytes and repeated names included", async () => {
    const stream = uniqueName("stdin");
    const input = [
      '{"n":1,"ok":true,"text":"grüße\\u0000"}',
      "",
      '{"id":"1-1","deliveries":3,"fields":{"b":{"base64":"/wA="}}}\r',
      '{"fields":[["a","1"],["a","2"]]}',
    ].join("\n");
    expect(await cli.json(["produce", stream], { input })).toMatchObject({ added: 3 });
    const [first, , third] = await entries(stream);
    expect(first).toEqual(["n", "1", "ok", "true", "text", "grüße\0"]);
    expect(third).toEqual(["a", "1", "a", "2"]);
    expect(await redis.server.command("XLEN", stream)).toBe(3);
  });

  it("reads standard input with --file -", async () => {
    const stream = uniqueName("dash");
    expect(await cli.json(["produce", stream, "--file", "-"], { input: '{"n":1}\n{"n":2}\n' })).toMatchObject({
      added: 2,
    });
    expect(await cli.json(["produce", stream, "--file=-"], { input: '{"n":3}\n' })).toMatchObject({ added: 1 });
    expect((await entries(stream)).map(([, n]) => n)).toEqual(["1", "2", "3"]);
  });

  it("ends at a malformed line, which it names, escapes and does not send; what came before is sent", async () => {
    const stream = uniqueName("malformed");
    const input = `{"n":1}\n{"n":\u001b[2J${"x".repeat(5_000)}\n{"n":3}\n`;
    const { code, stderr } = await cli.run(["produce", stream], { input });
    expect(code).toBe(2);
    expect(stderr).toContain('line 2 is not a message: it is not JSON: {"n":\\e[2Jxxx');
    expect(stderr).not.toContain("\u001b");
    expect(stderr.length).toBeLessThan(700);
    expect(await entries(stream)).toEqual([["n", "1"]]);
    const rest = await cli.run(["produce", stream, "--from-line", "2", "--skip-invalid"], { input });
    expect(rest.code).toBe(2);
    expect(rest.stdout).toMatch(/added +1\n.*\nskipped +1\n/);
    expect(await entries(stream)).toEqual([
      ["n", "1"],
      ["n", "3"],
    ]);
  });

  it("says of each kind of line what is wrong with it", async () => {
    const lines = ['{"a":{"b":1}}', '{"a":null}', '{"a":12345678901234567890}', "[1]", "{}", "7"];
    const input = `${lines.join("\n")}\n`;
    const { code, stderr } = await cli.run(["produce", "unused", "--dry-run", "--skip-invalid"], { input });
    expect(code).toBe(2);
    expect(stderr.match(/line \d is not a message: [^:;]*/g)).toEqual([
      'line 1 is not a message: the field "a" is an object, but a field is text',
      'line 2 is not a message: the field "a" is null, but a field is text',
      'line 3 is not a message: the field "a" is a number too large to be read exactly',
      "line 4 is not a message: it is not an object of fields",
      "line 5 is not a message: it has no field",
      "line 6 is not a message: it is not an object of fields",
    ]);
    expect(await redis.server.command("EXISTS", "unused")).toBe(0);
  });

  it("writes any JSON into one field, and pairs from a file", async () => {
    const stream = uniqueName("formats");
    const json = '{"a": {"b": [1, 12345678901234567890]}}';
    expect(await cli.json(["produce", stream, "--json-field", "data"], { input: `${json}\n` })).toMatchObject({
      added: 1,
    });
    const file = join(cli.folder, "pairs.txt");
    writeFileSync(file, "a=1 b='two words'\n");
    expect(await cli.json(["produce", stream, "--file", file, "--format", "pairs"])).toMatchObject({ added: 1 });
    expect(await entries(stream)).toEqual([
      ["data", json],
      ["a", "1", "b", "two words"],
    ]);
  });

  it("adds a message with a key once, however often the command is repeated, and keeps to the rate", async () => {
    const stream = uniqueName("keys");
    const input = Array.from({ length: 30 }, (_, n) => `{"order":"A-${n}"}\n`).join("");
    const startedAt = performance.now();
    expect(
      await cli.json(["produce", stream, "--idempotency-field", "order", "--rate", "60"], { input }),
    ).toMatchObject({
      added: 30,
    });
    expect(performance.now() - startedAt).toBeGreaterThan(300);
    expect(await cli.json(["produce", stream, "--idempotency-field", "order"], { input })).toMatchObject({
      added: 0,
      duplicates: 30,
    });
    const without = await cli.run(["produce", stream, "--idempotency-field", "order"], { input: '{"n":1}\n' });
    expectEnd(without, 2, 'line 1: it has no field "order"');
    expect(await redis.server.command("XLEN", stream)).toBe(30);
  });

  it("confirms a message only when as many replicas as are asked for have it", async (context) => {
    needsOwnServer(context, redis.server);
    const produce = (...message: readonly string[]) =>
      cli.run(["produce", stream, ...message, "--wait-for-replicas", "1", "--replica-timeout", "5s"]);
    const stream = uniqueName("replicas");
    const alone = await cli.run(["produce", stream, "n=1", "--wait-for-replicas", "1", "--replica-timeout", "20ms"]);
    expectEnd(alone, 3, "0 of 1 replicas confirmed it within 20 ms", "may or may not have been added");
    await using replica = await RedisServer.start({ replicaOf: redis.server });
    await eventually(
      "a replica follows",
      async () => (await replica.info("replication"))["master_link_status"] === "up",
    );
    expect(await produce("n=2")).toMatchObject({ code: 0 });
    expect(await replica.command("XLEN", stream)).toBe(2);
  });

  it("says on Ctrl-C what it has added, sends nothing after it, and ends with 130", async () => {
    const stream = uniqueName("interrupted");
    const file = join(cli.folder, "many.ndjson");
    writeFileSync(file, '{"n":1}\n'.repeat(10_000));
    await using process = await cli.start(["produce", stream, "--file", file, "--rate", "100", "--json"]);
    await eventually("some are added", async () => Number(await redis.server.command("XLEN", stream)) > 5);
    process.kill("SIGINT");
    expect((await process.exited).code).toBe(130);
    const report = JSON.parse(process.lines.join("\n")) as { readonly added: number };
    expect(report.added).toBe(await redis.server.command("XLEN", stream));
    expect(process.stderr).toContain("interrupted before the end of the input");
  });

  it.each([
    { where: "a file", args: (file: string) => ["--file", file], says: "continue with --from-line" },
    { where: "standard input", args: () => ["--file", "-"], says: "give the same input again, with --from-line" },
  ])("says on Ctrl-C where to go on in $where, so that every line is added once", async ({ args, says }) => {
    const stream = uniqueName("resumed");
    const file = join(cli.folder, `${stream}.ndjson`);
    const lines = Array.from({ length: 60_000 }, (_, n) => (n % 10 === 3 ? "" : `{"n":${n}}`));
    const text = `${lines.join("\n")}\n`;
    writeFileSync(file, text);
    const command = ["produce", stream, ...args(file), "--json"];
    // Slow enough not to be done before it is interrupted; a hundred are on their way at any time.
    await using process = await cli.start([...command, "--rate", "6000"]);
    // Who reads a file leaves it where it is.
    process.send(text.trimEnd());
    await eventually("some are added", async () => Number(await redis.server.command("XLEN", stream)) > 0);
    process.kill("SIGINT");
    expect((await process.exited).code).toBe(130);
    expect(process.stderr).toContain(says);
    const { added } = JSON.parse(process.lines.join("\n")) as { readonly added: number };
    expect(added).toBe(await redis.server.command("XLEN", stream));
    expect(added).toBeLessThan(54_000);
    const [, line = ""] = /--from-line (\d+)/.exec(process.stderr) ?? [];
    const rest = await cli.json([...command.slice(0, -1), "--from-line", line], { input: text });
    expect(rest).toMatchObject({ added: 54_000 - added });
    const wanted = lines.flatMap((each, n) => (each === "" ? [] : [String(n)]));
    expect((await entries(stream)).map(([, n]) => n)).toEqual(wanted);
    await redis.server.command("DEL", stream);
  });

  it("waits for no message on a terminal where none was said to come", async (context) => {
    needsTool(context, "script");
    const typed = await cli.shell(`script -qec "$RB produce s" /dev/null`);
    expectEnd(typed, 2, "no message was given", "--file -");
    expect.hasAssertions();
  });

  it("refuses a missing file, two sources, a key of another type, and a stream of a mebibyte a message it takes", async () => {
    const stream = uniqueName("refused");
    // Found out before a server is needed, and with nothing to report.
    const away = { env: { REDIS_URL: "redis://127.0.0.1:1" } };
    const missing = await cli.run(["produce", stream, "--file", join(cli.folder, "nothing")], away);
    expectEnd(missing, 2, "ENOENT", "--file takes the path");
    const typo = await cli.run(["produce", stream, "order=1", "cents"], away);
    expectEnd(typo, 2, "every word must look like field=value", "redis-batch produce --help");
    expect([missing.stdout, typo.stdout]).toEqual(["", ""]);
    expect(await cli.run(["produce", stream, "a=1", "--file", "-"])).toMatchObject({ code: 2 });
    await redis.server.command("SET", stream, "text");
    const wrong = await cli.run(["produce", stream, "a=1"]);
    expectEnd(wrong, 5, "other than a stream");
    await redis.server.command("DEL", stream);
    const large = `${JSON.stringify({ v: "x".repeat(1_000_000) })}\n`.repeat(20);
    expect(await cli.json(["produce", stream], { input: large })).toMatchObject({ added: 20 });
  });
});
