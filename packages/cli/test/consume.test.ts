import { eventually, uniqueName, useServer } from "@redis-batch/test-support";
import { describe, expect, it } from "vitest";
import { expectEnd, ndjson, useCli } from "./cli.ts";

const redis = useServer();
const cli = useCli(redis);

async function filled(purpose: string, count: number): Promise<string> {
  const stream = uniqueName(purpose);
  await redis.server.command("XGROUP", "CREATE", stream, "g", "0", "MKSTREAM");
  for (let n = 0; n < count; n++) await redis.server.command("XADD", stream, "*", "n", n);
  return stream;
}

async function pending(stream: string): Promise<number> {
  return Number(((await redis.server.command("XPENDING", stream, "g")) as unknown[])[0]);
}

const numbers = (text: string) => ndjson(text).map((message) => (message["fields"] as { n: string }).n);

describe("consume", () => {
  it("prints as many messages as it is asked to, acknowledges them, and leaves the others", async () => {
    const stream = await filled("count", 5);
    const first = await cli.run(["consume", stream, "g", "--count", "2"]);
    expect(first).toMatchObject({ code: 0, stderr: "" });
    expect(numbers(first.stdout)).toEqual(["0", "1"]);
    expect(Object.keys(ndjson(first.stdout)[0] ?? {})).toEqual(["id", "deliveries", "fields"]);
    expect(await pending(stream)).toBe(0);
    const rest = await cli.run(["consume", stream, "g", "--idle-exit", "1s", "--max-wait", "50ms", "--batches"]);
    expect(
      rest.stdout
        .split("\n")
        .filter(Boolean)
        .flatMap((line) => JSON.parse(line) as unknown[]),
    ).toHaveLength(3);
    expect(await redis.server.command("XINFO", "CONSUMERS", stream, "g")).toEqual([]);
  });

  it("keeps what it must not acknowledge", async () => {
    const stream = await filled("never", 3);
    const { code, stdout } = await cli.run(["consume", stream, "g", "--count", "2", "--ack", "never"]);
    expect(code).toBe(0);
    expect(numbers(stdout)).toEqual(["0", "1"]);
    expect(await pending(stream)).toBe(2);
    const again = await cli.run(["consume", stream, "g", "--idle-exit", "500ms", "--max-wait", "50ms"]);
    expect(numbers(again.stdout)).toEqual(["2"]);
  });

  it("hands batches to a command, whose end decides", async () => {
    const stream = await filled("exec", 4);
    const command = 'test "$REDIS_BATCH_SIZE" = 4 && cat && test "$REDIS_BATCH_GROUP" = g';
    const { code, stdout } = await cli.run(["consume", stream, "g", "--count", "4", "--exec", command]);
    expect(code).toBe(0);
    expect(numbers(stdout)).toEqual(["0", "1", "2", "3"]);
    expect(await pending(stream)).toBe(0);
    await redis.server.command("XADD", stream, "*", "n", "4");
    const failed = await cli.run(["consume", stream, "g", "--count", "1", "--exec", "exit 3"]);
    expectEnd(failed, 1, "failed on a batch of 1: it exited with 3");
    expect(await pending(stream)).toBe(1);
  });

  it("with --ack never prints each message once, keeps them to itself, and releases them when it ends", async () => {
    const stream = await filled("keep", 2);
    await using process = await cli.start([
      "consume",
      stream,
      "g",
      "--ack",
      "never",
      "--max-wait",
      "10ms",
      "--lease",
      "1s",
    ]);
    await process.waitForLine(/"n":"1"/);
    const owners = async (): Promise<string[]> =>
      ((await redis.server.command("XPENDING", stream, "g", "-", "+", 10)) as [string, string][]).map(
        ([, name]) => name,
      );
    const [name = ""] = await owners();
    const heartbeatAtMs = async (): Promise<number> =>
      (
        JSON.parse(String(await redis.server.command("HGET", `rb:{${stream}}:consumers:${stream}:g`, name))) as {
          at: number;
        }
      ).at;
    // They are redelivered each half lease.
    const startedMs = await heartbeatAtMs();
    await eventually("two leases are over", async () => (await heartbeatAtMs()) - startedMs > 2_000);
    expect(await owners()).toEqual([name, name]);
    expect(name).not.toMatch(/^rb:/);
    process.kill("SIGINT");
    expect(await process.exited).toEqual({ code: 0, signal: null });
    expect(numbers(process.lines.join("\n"))).toEqual(["0", "1"]);
    const again = await cli.run(["consume", stream, "g", "--count", "2", "--max-wait", "50ms"]);
    expect(numbers(again.stdout)).toEqual(["0", "1"]);
  });

  it("takes outcomes of single messages from the command's lines", async () => {
    const stream = await filled("outcomes", 4);
    const ids = ((await redis.server.command("XRANGE", stream, "-", "+")) as [string][]).map(([id]) => id);
    const command = `cat > /dev/null; echo ack ${ids[0]}; echo retry ${ids[1]} busy; echo dead-letter ${ids[2]} no such order; echo hello; exit 1`;
    const { code, stderr } = await cli.run(["consume", stream, "g", "--count", "4", "--outcomes", "--exec", command]);
    expect(code).toBe(1);
    expect(stderr).toContain("not an outcome of a message of this batch: hello");
    expect(await pending(stream)).toBe(2);
    const dead = (await redis.server.command("XRANGE", `rb:{${stream}}:dead:${stream}:g`, "-", "+")) as [
      string,
      string[],
    ][];
    expect(dead).toHaveLength(1);
    expect(dead[0]?.[1].map(String)).toEqual(
      expect.arrayContaining(["dead.id", ids[2], "dead.error", "no such order"]),
    );
  });

  it("dead-letters what fails at once when it is asked to", async () => {
    const stream = await filled("moveToDeadLetters", 2);
    await cli.run(["consume", stream, "g", "--count", "2", "--dead-letter", "--exec", "exit 1"]);
    expect(await redis.server.command("XLEN", `rb:{${stream}}:dead:${stream}:g`)).toBe(2);
    expect(await pending(stream)).toBe(0);
  });

  it("makes no group by itself, and begins where it is asked to", async () => {
    const stream = await filled("create", 2);
    const missing = await cli.run(["consume", stream, "other", "--count", "1"]);
    expectEnd(missing, 5, "--create start");
    const nowhere = uniqueName("nowhere");
    expect(await cli.run(["consume", nowhere, "g"])).toMatchObject({ code: 5 });
    expect(await redis.server.command("EXISTS", nowhere)).toBe(0);
    const made = await cli.run(["consume", stream, "other", "--count", "2", "--create", "start"]);
    expect(numbers(made.stdout)).toEqual(["0", "1"]);
  });

  it("drains on Ctrl-C: what was printed is acknowledged, the rest is there", async () => {
    const stream = await filled("interrupt", 3);
    await using process = await cli.start(["consume", stream, "g", "--max-wait", "10ms"]);
    await process.waitForLine(/"n":"2"/);
    await eventually("all are acknowledged", async () => (await pending(stream)) === 0);
    process.kill("SIGINT");
    expect(await process.exited).toEqual({ code: 0, signal: null });
    expect(process.stderr).toContain("press Ctrl-C again");
    expect(await redis.server.command("XINFO", "CONSUMERS", stream, "g")).toEqual([]);
  });

  it("ends at once on a second Ctrl-C, and its command with it", async () => {
    const stream = await filled("twice", 1);
    await using process = await cli.start([
      "consume",
      stream,
      "g",
      "--max-wait",
      "10ms",
      "--exec",
      "echo at work $$; sleep 60 & wait",
    ]);
    const line = await process.waitForLine(/^at work/);
    process.kill("SIGINT");
    await eventually("the drain has begun", async () => process.stderr.includes("press Ctrl-C again"));
    expect(process.running).toBe(true);
    process.kill("SIGINT");
    expect(await process.exited).toEqual({ code: 130, signal: null });
    const pid = Number(line.split(" ").at(-1));
    await eventually("the command has ended", async () => !isRunning(pid));
    expect(await pending(stream)).toBe(1);
  });

  it("drains when its reader goes away, and keeps what was not read", async () => {
    const stream = await filled("pipe", 500);
    const { stdout, stderr, code } = await cli.shell(
      `set -o pipefail; rb consume ${stream} g --batch-size 1 --max-wait 1ms | head -1; exit \${PIPESTATUS[0]}`,
    );
    expect(stderr).toBe("");
    expect(code).toBe(0);
    expect(numbers(stdout)).toEqual(["0"]);
    expect(await pending(stream)).toBeGreaterThan(0);
    const waiting = await cli.run(["consume", stream, "g", "--idle-exit", "5s", "--max-wait", "100ms"]);
    // What had gone into the pipe before its reader left was acknowledged; a pipe holds 64 KiB.
    expect(numbers(waiting.stdout)).toContain("499");
    // The batch that could not be written was redelivered, after its delay.
    expect(await pending(stream)).toBe(0);
  });
});

describe("consume of several streams", () => {
  async function two(purpose: string): Promise<readonly [string, string]> {
    return [await filled(`${purpose}-one`, 2), await filled(`${purpose}-two`, 3)];
  }
  const pairs = (text: string) => ndjson(text).map(({ stream, fields }) => [stream, (fields as { n: string }).n]);

  it("prints each message with its stream, in the order of the stream, and acknowledges it there", async () => {
    const [one, other] = await two("several");
    const { code, stdout, stderr } = await cli.run(["consume", `${one},${other}`, "g", "--count", "5"]);
    expect([code, stderr]).toEqual([0, ""]);
    const of = (stream: string) => pairs(stdout).filter(([name]) => name === stream);
    expect(of(one)).toEqual(["0", "1"].map((n) => [one, n]));
    expect(of(other)).toEqual(["0", "1", "2"].map((n) => [other, n]));
    expect(Object.keys(ndjson(stdout)[0] ?? {})).toEqual(["stream", "id", "deliveries", "fields"]);
    expect([await pending(one), await pending(other)]).toEqual([0, 0]);
    // What it prints can be added again.
    const copy = uniqueName("copy");
    expect(await cli.run(["produce", copy], { input: stdout })).toMatchObject({ code: 0 });
    expect(await redis.server.command("XLEN", copy)).toBe(5);
  });

  it("hands a command batches of one stream, with that stream's key", async () => {
    const [one, other] = await two("exec-several");
    const command = 'read -r line; printf "%s %s\n" "$REDIS_BATCH_STREAM" "$line"; cat > /dev/null';
    const call = ["consume", `${one},${other}`, "g", "--count", "5", "--batches", "--exec", command];
    const { code, stdout } = await cli.run(call);
    expect(code).toBe(0);
    const batches = stdout
      .trim()
      .split("\n")
      .map((line) => [line.slice(0, line.indexOf(" ")), line.slice(line.indexOf(" "))]);
    for (const [stream = "", json = ""] of batches) {
      const streams = (JSON.parse(json) as { stream: string }[]).map((message) => message.stream);
      expect(new Set(streams)).toEqual(new Set([stream]));
    }
    expect(new Set(batches.map(([stream]) => stream))).toEqual(new Set([one, other]));
    expect([await pending(one), await pending(other)]).toEqual([0, 0]);
  });

  it("keeps each message apart whose id is that of another stream's", async () => {
    const [one, other] = [uniqueName("same-one"), uniqueName("same-two")];
    for (const stream of [one, other]) {
      await redis.server.command("XGROUP", "CREATE", stream, "g", "0", "MKSTREAM");
      await redis.server.command("XADD", stream, "7-1", "n", "0");
    }
    const call = ["consume", `${one},${other}`, "g", "--count", "2", "--ack", "never", "--max-wait", "10ms"];
    const { code, stdout } = await cli.run(call);
    expect(code).toBe(0);
    expect(new Set(pairs(stdout).map((pair) => pair.join(" ")))).toEqual(new Set([`${one} 0`, `${other} 0`]));
    expect([await pending(one), await pending(other)]).toEqual([1, 1]);
  });

  it("makes no group by itself: it names the stream that lacks one, and how a comma of a name is typed", async () => {
    const stream = await filled("has-group", 1);
    const nowhere = uniqueName("nowhere");
    const missing = await cli.run(["consume", `${stream},${nowhere}`, "g"]);
    expectEnd(missing, 5, `"${nowhere}" has no group`, "--create start", "\\x2c");
    expect(await redis.server.command("EXISTS", nowhere)).toBe(0);
    expectEnd(await cli.run(["consume", `${stream},${stream}`, "g"]), 2, "is there twice");
    const comma = await filled("a,b", 1);
    const { stdout } = await cli.run(["consume", comma.replace(",", "\\x2c"), "g", "--count", "1"]);
    expect(numbers(stdout)).toEqual(["0"]);
  });

  it("says which stream cannot be worked on, goes on with the others, and drains on Ctrl-C", async () => {
    const [one, other] = await two("rests");
    await using process = await cli.start(["consume", `${one},${other}`, "g", "--max-wait", "10ms"]);
    await process.waitForLine(/"n":"2"/);
    await redis.server.command("SET", one, "another program's");
    await eventually("it says so", async () => process.stderr.includes(`${one}: `));
    expect(process.stderr).toContain("the other streams go on");
    await redis.server.command("XADD", other, "*", "n", "goes on");
    await process.waitForLine(/goes on/);
    await eventually("all are acknowledged", async () => (await pending(other)) === 0);
    process.kill("SIGINT");
    expect(await process.exited).toEqual({ code: 0, signal: null });
    expect(await redis.server.command("XINFO", "CONSUMERS", other, "g")).toEqual([]);
  });
});

describe("consume --order-by", () => {
  async function ordered(
    purpose: string,
    ...messages: readonly (readonly [key: string, n: number])[]
  ): Promise<string> {
    const stream = uniqueName(purpose);
    await redis.server.command("XGROUP", "CREATE", stream, "g", "0", "MKSTREAM");
    for (const [key, n] of messages) await redis.server.command("XADD", stream, "*", "customer", key, "n", n);
    return stream;
  }
  const byCustomer = ["--order-by", "customer"];

  it("holds up the later messages of a key whose message fails, and no others", async () => {
    const stream = await ordered("order", ["a", 1], ["a", 2], ["b", 3], ["a", 4], ["b", 5]);
    // The first message fails once.
    const mark = `${cli.folder}/${stream}`;
    const read = `n=$(grep -o '"n":"[0-9]"' | tr -dc 0-9); echo "took $n"`;
    const command = `${read}; [ $n != 1 ] || [ -e ${mark} ] || { touch ${mark}; exit 1; }`;
    const call = ["consume", stream, "g", ...byCustomer, "--batch-size", "1", "--count", "6", "--exec", command];
    const { stdout } = await cli.run(call);
    const took = [...stdout.matchAll(/took (\d)/g)].map(([, n]) => Number(n));
    expect(took.filter((n) => n === 3 || n === 5)).toEqual([3, 5]);
    expect(took.filter((n) => n !== 3 && n !== 5)).toEqual([1, 1, 2, 4]);
    expect(await pending(stream)).toBe(0);
  });

  it("has the group for itself, says who else is there, and takes less with --order-scope consumer", async () => {
    const stream = await ordered("alone", ["a", 1]);
    await using first = await cli.start([
      "consume",
      stream,
      "g",
      ...byCustomer,
      "--name",
      "first",
      "--max-wait",
      "10ms",
    ]);
    await first.waitForLine(/"n":"1"/);
    const second = await cli.run(["consume", stream, "g", "--count", "1"]);
    expectEnd(second, 6, '"first" keeps the messages of the group "g" in order');
    const other = await ordered("shared", ["a", 1]);
    await using plain = await cli.start(["consume", other, "g", "--name", "plain", "--max-wait", "10ms"]);
    await plain.waitForLine(/"n":"1"/);
    const refused = await cli.run(["consume", other, "g", ...byCustomer]);
    expectEnd(refused, 6, '"plain"', "--order-scope consumer");
    await redis.server.command("XADD", other, "*", "customer", "a", "n", 2);
    const scoped = [...byCustomer, "--order-scope", "consumer", "--idle-exit", "100ms"];
    expect(await cli.run(["consume", other, "g", ...scoped])).toMatchObject({ code: 0 });
  });

  it("is refused where nothing is acknowledged, and a scope without it", async () => {
    for (const [option, ...words] of [
      ["--order-by", ...byCustomer, "--ack", "never"],
      ["--order-scope", "--order-scope", "consumer"],
    ]) {
      const { code, stderr } = await cli.run(["consume", "s", "g", ...words]);
      expect([code, stderr]).toEqual([2, expect.stringContaining(option ?? "")]);
    }
  });
});

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
