import { Consumer, Producer } from "@redis-batch/consumer";
import { eventually, uniqueName, useServer } from "@redis-batch/test-support";
import { describe, expect, it } from "vitest";
import { expectEnd, expectNoControls, expectSameContent, ndjson, useCli } from "./cli.ts";

const redis = useServer({ own: true });
const cli = useCli(redis);

async function filled(purpose: string, count: number): Promise<{ readonly stream: string; readonly ids: string[] }> {
  const stream = uniqueName(purpose);
  const ids: string[] = [];
  for (let n = 0; n < count; n++) ids.push(String(await redis.server.command("XADD", stream, "*", "n", n)));
  await redis.server.command("XGROUP", "CREATE", stream, "g", "0", "MKSTREAM");
  return { stream, ids };
}

/** Runs it as a table and as JSON, and sees that both say the same. */
async function both(args: readonly string[]): Promise<Readonly<Record<string, unknown>>> {
  const [table, json] = await Promise.all([cli.run(args), cli.json(args)]);
  expectEnd(table, 0);
  expectSameContent(table.stdout, json);
  return json;
}

describe("streams", () => {
  it("lists streams by a glob, with hostile names escaped, and nothing else", async () => {
    const hostile = `evil\u001b]0;title\u0007\u202e${uniqueName("n")}\n"x"`;
    await redis.server.command("XADD", hostile, "*", "a", "1");
    await redis.server.command("SET", `evil-${uniqueName("text")}`, "no stream");
    const json = await both(["streams", "--match", "evil*"]);
    expect(json["streams"]).toEqual([expect.objectContaining({ stream: hostile, length: 1, groups: 0, added: 1 })]);
    const { stdout } = await cli.run(["streams", "--match", "evil*"]);
    expect(stdout).toContain("evil\\e]0;title\\x07\\u{202e}");
    expectNoControls(stdout);
    const raw = await cli.run(["streams", "--match", "evil*", "--json"]);
    expectNoControls(raw.stdout);
    await redis.server.command("DEL", hostile);
  });

  it("leaves out what Redis Batch keeps for a group, unless that is asked for", async () => {
    const { stream } = await filled("kept", 1);
    const dead = `rb:{${stream}}:dead:${stream}:g`;
    await redis.server.command("XADD", dead, "*", "a", "1");
    const found = async (...more: string[]) => {
      const { streams, notes } = await both(["streams", "--match", `*${stream}*`, ...more]);
      return { names: (streams as { stream: string }[]).map((row) => row.stream), notes };
    };
    expect(await found()).toEqual({
      names: [stream],
      notes: ["Left out: 1 of Redis Batch's own streams; --all shows them."],
    });
    expect(await found("--all")).toEqual({ names: [stream, dead] });
    await redis.server.command("DEL", stream, dead);
  });

  it("says so when there are more than were asked for, and when there are none", async () => {
    await Promise.all([filled("many", 1), filled("many", 1), filled("many", 1)]);
    expect(await both(["streams", "--match", "many*", "--limit", "2"])).toMatchObject({
      notes: ["There are more than 2: narrow the search with --match, or raise --limit."],
    });
    expect(await both(["streams", "--match", "nothing-like-it"])).toEqual({ streams: [] });
  });
});

describe("groups, consumers and pending", () => {
  it("tell who reads a stream, who is alive and who holds what", async () => {
    const { stream, ids } = await filled("groups", 5);
    const consumer = new Consumer({
      redis: redis.server.url,
      stream,
      group: "g",
      name: "live",
      batchSize: 2,
      prefetch: 0,
      leaseMs: 3_000,
    });
    const batch = await consumer.fetch();
    await redis.server.command("XREADGROUP", "GROUP", "g", "foreign one", "COUNT", 1, "STREAMS", stream, ">");
    try {
      expect(await both(["groups", stream])).toMatchObject({
        stream,
        length: 5,
        groups: [{ group: "g", waiting: 2, pending: 3, consumers: 2, deadLetters: 0, lastDelivered: ids[2] }],
      });
      expect(await both(["consumers", stream, "g"])).toMatchObject({
        consumers: [
          { consumer: "foreign one", pending: 1, alive: null, host: null },
          { consumer: "live", pending: 2, alive: true, pid: process.pid },
        ],
      });
      const { messages } = (await both(["pending", stream, "g"])) as { messages: unknown[] };
      expect(messages).toMatchObject([
        { id: ids[0], consumer: "live", deliveries: 1 },
        { id: ids[1], consumer: "live", deliveries: 1 },
        { id: ids[2], consumer: "foreign one", deliveries: 1 },
      ]);
      const page = await both(["pending", stream, "g", "--limit", "2"]);
      expect(page).toMatchObject({
        pending: 3,
        next: ids[2],
        notes: [`There may be more: continue with --from ${ids[2]}.`],
      });
      expect(await both(["pending", stream, "g", "--from", String(ids[2])])).toMatchObject({
        next: null,
        messages: [{ id: ids[2] }],
      });
      expect(await both(["pending", stream, "g", "--consumer", "foreign one"])).toMatchObject({
        messages: [{ id: ids[2] }],
      });
      expect(await both(["pending", stream, "g", "--min-idle", "1h"])).toMatchObject({ messages: [] });
      expect(await both(["pending", stream, "g", "--min-deliveries", "2"])).toMatchObject({ messages: [] });
      consumer.pause();
      await eventually("its heartbeat says that it is paused", async () => {
        const { consumers } = await cli.json(["consumers", stream, "g"]);
        return (consumers as { consumer: string; intake: string }[]).some(({ intake }) => intake === "paused");
      });
    } finally {
      batch.ack();
      await consumer.close();
    }
  });

  it("tell apart what nobody holds: what was released, and what was deferred", async () => {
    const { stream, ids } = await filled("let-go", 4);
    const names = ["worker", "rb:released", "rb:redrive", "rb:later"];
    for (const name of names)
      await redis.server.command("XREADGROUP", "GROUP", "g", name, "COUNT", 1, "STREAMS", stream, ">");
    await redis.server.command("ZADD", `rb:{${stream}}:due:${stream}:g`, 1_800_000_000_000, String(ids[3]));
    const apart = { released: 2, deferred: 1 };
    expect(await both(["groups", stream])).toMatchObject({ groups: [{ pending: 4, consumers: 1 }] });
    const { consumers, ...facts } = await both(["consumers", stream, "g"]);
    expect(facts).toMatchObject(apart);
    expect(consumers).toMatchObject([{ consumer: "worker", pending: 1 }]);
    const pending = await both(["pending", stream, "g"]);
    expect(pending).toMatchObject({
      ...apart,
      messages: names.map((consumer, index) => ({
        ...{ id: ids[index], consumer, due: consumer === "rb:later" ? "2027-01-15T08:00:00.000Z" : null },
      })),
      notes: [
        "rb:released: released, waiting for any consumer.",
        "rb:redrive: released, waiting for any consumer.",
        "rb:later: deferred until its time.",
      ],
    });
    const { consumers: judged, ...report } = await cli.json(["monitor", stream, "g"]);
    expect(report).toMatchObject(apart);
    expect(judged).toMatchObject([{ consumer: "worker", pending: 1 }]);
  });

  it("show what waits behind an earlier message of its key, which is pending, and not at work", async () => {
    const stream = uniqueName("blocked");
    for (let n = 0; n < 5; n++) await redis.server.command("XADD", stream, "*", "customer", "ada", "n", n);
    await redis.server.command("XGROUP", "CREATE", stream, "g", "0");
    await using consumer = new Consumer({
      ...{ redis: redis.server.url, stream, group: "g", name: "only", orderBy: "customer", leaseMs: 2_000 },
      ...{ batchSize: 1, prefetch: 4 },
    });
    const ending = new AbortController();
    const running = consumer.run((batch) => batch.messages[0]?.retry({ delayMs: 60_000 }), { signal: ending.signal });
    await eventually("its heartbeat says what waits", async () => {
      const { consumers } = await cli.json(["consumers", stream, "g"]);
      return (consumers as { parked: number | null }[]).some(({ parked }) => parked === 4);
    });
    expect((await cli.run(["consumers", stream, "g"])).stdout).toMatch(/BEHIND KEYS.*BLOCKED KEYS/);
    const { reason, consumers } = await cli.json(["monitor", stream, "g"]);
    expect(consumers).toMatchObject([{ consumer: "only", parked: 4 }]);
    const says = "5 messages are pending, 4 of them behind an earlier message of the same key (1 key blocked)";
    expect(reason).toContain(says);
    expectEnd(await cli.run(["doctor", stream, "g"]), 0, says);
    ending.abort();
    await running;
  });

  it("name what is not there, and what is no stream", async () => {
    expect.hasAssertions();
    const nowhere = uniqueName("nowhere");
    for (const args of [
      ["groups", nowhere],
      ["peek", nowhere],
      ["tail", nowhere],
    ])
      expectEnd(await cli.run(args), 5, "fix:");
    const { stream } = await filled("some", 0);
    expectEnd(await cli.run(["pending", stream, "other"]), 5, "redis-batch groups");
    await redis.server.command("SET", nowhere, "text");
    expectEnd(await cli.run(["groups", nowhere]), 5, "other than a stream");
  });
});

describe("peek and tail", () => {
  it("show what a group gets next, from a place, and the newest", async () => {
    const { stream, ids } = await filled("peek", 30);
    await redis.server.command("XREADGROUP", "GROUP", "g", "c", "COUNT", 12, "STREAMS", stream, ">");
    const json = async (...args: string[]) =>
      ndjson((await cli.run(["peek", stream, ...args, "--json"])).stdout).map(({ id }) => id);
    expect(await json("g", "-n", "3")).toEqual(ids.slice(12, 15));
    expect(await json("-n", "2")).toEqual(ids.slice(0, 2));
    expect(await json("--newest", "-n", "2")).toEqual(ids.slice(-2).toReversed());
    expect(await json("--from", String(ids[28]), "-n", "9")).toEqual(ids.slice(28));
    expect(await json("--from", "1h", "-n", "1000")).toEqual(ids);
    expectEnd(await cli.run(["peek", stream, "--from", "yesterday"]), 2, "such as 2h (ago)");
    expect(((await redis.server.command("XPENDING", stream, "g")) as unknown[])[0]).toBe(12);
  });

  it("show hostile and huge values safely", async () => {
    const stream = uniqueName("hostile");
    await redis.server.command(
      "XADD",
      stream,
      "*",
      "na\u001bme",
      'two words\u202e "q"',
      "bytes",
      Buffer.from([0xff, 0]),
      "big",
      "x".repeat(3_000_000),
    );
    const { stdout, code } = await cli.run(["peek", stream]);
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /^\d+-0 {2}na\\eme="two words\\u\{202e\} \\"q\\"" bytes=\S+ big=x{499}…\(3000000 bytes\)\n$/,
    );
    const [message] = ndjson((await cli.run(["tail", stream, "--json"])).stdout);
    expect(message?.["fields"]).toEqual({
      "na\u001bme": 'two words\u202e "q"',
      bytes: { base64: "/wA=" },
      big: "x".repeat(3_000_000),
    });
  });

  it("say that there is nothing, to the person only", async () => {
    const { stream } = await filled("empty", 0);
    for (const args of [
      ["peek", stream],
      ["peek", stream, "g"],
      ["tail", stream, "--json"],
    ]) {
      const ended = await cli.run(args);
      expectEnd(
        ended,
        0,
        args.length === 3 && args[2] === "g" ? "no messages wait for the group" : "there are no messages",
      );
      expect(ended.stdout).toBe("");
    }
  });

  it("follow what comes until Ctrl-C, and give produce what it reads", async () => {
    const { stream, ids } = await filled("tail", 150);
    await using process = await cli.start(["tail", stream, "-n", "2", "-f", "--json"]);
    await process.waitForLine(new RegExp(`"id":"${ids.at(-1) ?? ""}"`));
    await using producer = new Producer({ redis: redis.server.url, stream });
    const id = await producer.add({ n: "new" });
    await process.waitForLine(new RegExp(`"id":"${id}"`));
    process.kill("SIGINT");
    expect((await process.exited).code).toBe(0);
    expect(process.lines).toHaveLength(3);
    const copy = uniqueName("copy");
    expectEnd(
      await cli.shell(
        `rb tail ${stream} -n 120 --json | rb produce ${copy} && rb tail ${stream} -n 120 --json | head -1`,
      ),
      0,
    );
    await eventually("all are copied", async () => (await redis.server.command("XLEN", copy)) === 120);
  });
});
