import { Consumer } from "@redis-batch/consumer";
import { eventually, uniqueName, useServer } from "@redis-batch/test-support";
import { describe, expect, it } from "vitest";
import { expectEnd, expectNoControls, expectSameContent, ndjson, needsTool, useCli } from "./cli.ts";
import { type Pane, inTerminal as watchInTerminal } from "./in-terminal.ts";

const redis = useServer();
const cli = useCli(redis);
const inTerminal: (args: readonly string[], use: (pane: Pane) => Promise<void>) => Promise<void> = (args, use) =>
  watchInTerminal(cli, redis, args, use);

/** A group with a consumer that holds two messages and reads no more, and with three that wait. */
async function leftBehind(purpose: string): Promise<{ readonly stream: string; readonly ids: string[] }> {
  const stream = uniqueName(purpose);
  const ids: string[] = [];
  for (let n = 0; n < 5; n++) ids.push(String(await redis.server.command("XADD", stream, "*", "n", n)));
  await redis.server.command("XGROUP", "CREATE", stream, "g", "0");
  await redis.server.command("XREADGROUP", "GROUP", "g", "gone", "COUNT", 2, "STREAMS", stream, ">");
  return { stream, ids };
}

// Reasons quote times that go on meanwhile.
const TIMES = /\d+ (?:ms|s|min)\b/g;

/** Puts it so far back that it counts as dead. */
async function age(stream: string, ids: readonly string[]): Promise<void> {
  await redis.server.command("XCLAIM", stream, "g", "gone", 0, ...ids, "IDLE", 3_600_000, "JUSTID");
}

describe("monitor", () => {
  it("names the groups to choose from where none is given", async () => {
    const { stream } = await leftBehind("which");
    await redis.server.command("XGROUP", "CREATE", stream, "a group", "0");
    const asked = await cli.run(["monitor", stream]);
    expectEnd(
      asked,
      2,
      "<group> is missing",
      `redis-batch monitor ${stream} g`,
      `redis-batch monitor ${stream} 'a group'`,
    );
    const json = await cli.run(["monitor", stream, "--json"]);
    expectEnd(json, 2);
    expect(JSON.parse(json.stderr)).toMatchObject({
      error: { code: 2, fix: expect.stringContaining(`monitor ${stream} g`) as string },
    });
    expectEnd(await cli.run(["monitor", stream, "--watch"]), 2, `redis-batch monitor ${stream} g`);
    for (let n = 0; n < 12; n++) await redis.server.command("XGROUP", "CREATE", stream, `g${n}`, "0");
    expectEnd(await cli.run(["monitor", stream]), 2, `and 4 more: \`redis-batch groups ${stream}\``);
    const bare = uniqueName("bare");
    await redis.server.command("XADD", bare, "*", "n", 1);
    expectEnd(await cli.run(["monitor", bare]), 5, "has no group", `redis-batch group create ${bare} <group>`);
    expectEnd(await cli.run(["monitor", uniqueName("nothing")]), 5, "there is no stream");
    expectEnd(await cli.run(["monitor", stream, "--url", "redis://127.0.0.1:1", "--connect-timeout", "200ms"]), 3);
  });

  it("shows the group and its consumers, in table and JSON alike", async () => {
    const { stream } = await leftBehind("monitor");
    const [table, json] = await Promise.all([cli.run(["monitor", stream, "g"]), cli.json(["monitor", stream, "g"])]);
    expectEnd(table, 0);
    expect(json).toMatchObject({
      ...{ stream, group: "g", waiting: 3, waitingSource: "server", pending: 2, deadLetters: 0, length: 5 },
      consumers: [{ consumer: "gone", pending: 2, foreign: true }],
    });
    const { consumers, ...facts } = json;
    expectSameContent(
      table.stdout.replaceAll(TIMES, "n ms"),
      JSON.parse(JSON.stringify({ ...facts, consumers }).replaceAll(TIMES, "n ms")) as typeof json,
    );
    expectEnd(await cli.run(["monitor", stream, "nobody"]), 5, 'has no group "nobody"');
    expectEnd(await cli.run(["monitor", uniqueName("nowhere"), "g"]), 5, "there is no stream");
  });

  it("--watch prints a line a look without a terminal, and ends on Ctrl-C", async () => {
    const { stream } = await leftBehind("watch");
    await using lines = await cli.start(["monitor", stream, "g", "--watch", "--interval", "100ms"]);
    await lines.waitForLine(/waiting 3, pending 2/);
    await redis.server.command("XADD", stream, "*", "n", "6");
    await lines.waitForLine(/waiting 4, pending 2/);
    lines.kill("SIGINT");
    expect((await lines.exited).code).toBe(0);
    expectNoControls(lines.lines.join("\n"));
    await using json = await cli.start(["monitor", stream, "g", "--watch", "--interval", "100ms", "--json"]);
    await json.waitForLine(/"inPerSecond":0/);
    json.kill("SIGTERM");
    expect((await json.exited).code).toBe(0);
    expect(ndjson(json.lines.join("\n")).at(-1)).toMatchObject({
      stream,
      group: "g",
      waiting: 4,
      consumers: [{ consumer: "gone" }],
    });
  });

  it("--watch ends quietly when its reader goes away", async () => {
    const { stream } = await leftBehind("head");
    const { code, stdout, stderr } = await cli.shell(
      `set -o pipefail; rb monitor ${stream} g --watch --interval 100ms | head -2; exit \${PIPESTATUS[0]}`,
    );
    expect({ code, lines: stdout.trimEnd().split("\n").length }).toEqual({ code: 0, lines: 2 });
    expect(stderr).not.toMatch(/EPIPE|error/);
  });

  it("--auto-cleanup releases what the dead left", async () => {
    const { stream, ids } = await leftBehind("auto");
    await age(stream, ids.slice(0, 2));
    await using consumer = new Consumer({
      redis: redis.server.url,
      stream,
      group: "g",
      name: "alive",
      leaseMs: 500,
      recoverEveryMs: 3_600_000,
      prefetch: 0,
      batchSize: 1,
    });
    await consumer.fetch();
    await using watching = await cli.start([
      "monitor",
      stream,
      "g",
      "--auto-cleanup",
      "--interval",
      "200ms",
      "--foreign-idle",
      "1s",
      "--idle-threshold",
      "500ms",
    ]);
    await eventually("the messages were handed over", async () => watching.stderr.includes("released"), {
      timeoutMs: 20_000,
    });
    watching.kill("SIGINT");
    await watching.exited;
    const owners = (await redis.server.command("XPENDING", stream, "g", "-", "+", 10)) as [string, string][];
    expect(owners.filter(([, owner]) => owner === "gone")).toEqual([]);
  });
});

describe("monitor --watch on a terminal", () => {
  it("fills the screen, answers p, c and q, and gives the terminal back as it was", async (context) => {
    needsTool(context, "tmux");
    const { stream } = await leftBehind("screen");
    await inTerminal([stream, "g"], async ({ screen, press, resize }) => {
      await eventually("the curves are drawn", async () => /waiting +3 {2}█{3}/.test(screen()), { timeoutMs: 20_000 });
      // Whether three that wait are too many takes some looks to tell.
      await eventually("it is judged", async () => screen().includes(`${stream} / g  OK`));
      const lines = screen().trimEnd().split("\n");
      expect(lines).toHaveLength(16);
      expect(lines.at(-1)).toContain("p pause · c clean up · q quit");
      expect(screen()).toMatch(/gone +OK .* 2 /);
      press("c");
      await eventually("it says what a clean-up would do", async () =>
        /nothing (moves|to clean up)|no consumer is dead|nobody/.test(screen()),
      );
      press("p");
      await eventually("it pauses", async () => screen().includes("PAUSED"));
      resize(60, 10);
      await eventually("it fits the new size", async () => {
        const shown = screen().trimEnd().split("\n");
        return (
          shown.length === 10 && shown.every((line) => line.length <= 60) && (shown.at(-1) ?? "").includes("PAUSED")
        );
      });
      resize(100, 16);
      press("q");
      await eventually("it gives the terminal back", async () => screen().startsWith("ended 0"));
      expect(screen()).toMatch(/(?<!-)icanon.*(?<!-)echo /s);
      press("typed", "Enter");
      await eventually("what is typed is echoed and read by the line", async () =>
        /^typed\nread typed$/m.test(screen()),
      );
    });
  });

  it("releases what a dead consumer left when c is answered with y, and nothing when not", async (context) => {
    needsTool(context, "tmux");
    const stream = uniqueName("keys");
    for (let n = 0; n < 2; n++) await redis.server.command("XADD", stream, "*", "n", n);
    await redis.server.command("XGROUP", "CREATE", stream, "g", "0");
    const dying = await cli.start([
      ...["consume", stream, "g", "--name", "dying", "--lease", "1s", "--batch-size", "2", "--count", "3"],
      ...["--ack", "never", "--max-wait", "10ms"],
    ]);
    await dying.waitForLine(/"n":"1"/);
    dying.kill("SIGKILL");
    await dying.exited;
    await redis.server.command("XADD", stream, "*", "n", "2");
    await using alive = new Consumer({
      ...{ redis: redis.server.url, stream, group: "g", name: "alive", leaseMs: 1_000, batchSize: 1, prefetch: 0 },
      recoverEveryMs: 3_600_000,
    });
    await alive.fetch();
    const owners = async (): Promise<string[]> =>
      ((await redis.server.command("XPENDING", stream, "g", "-", "+", 10)) as [string, string][]).map(
        ([, name]) => name,
      );
    expect(await owners()).toEqual(["dying", "dying", "alive"]);
    await inTerminal([stream, "g"], async ({ screen, press }) => {
      await eventually("it is drawn", async () => screen().includes("c clean up"), { timeoutMs: 20_000 });
      const ask = () =>
        eventually(
          "it asks",
          async () => {
            if (screen().includes("release 2 messages and remove 1 name? y / n")) return true;
            // Until it has been dead, and been watched, for long enough, there is nothing to hand over.
            press("c");
            return false;
          },
          { timeoutMs: 20_000 },
        );
      await ask();
      press("n");
      await eventually("it leaves it", async () => screen().includes("nothing changed"));
      expect(await owners()).toEqual(["dying", "dying", "alive"]);
      await ask();
      press("y");
      await eventually("they are the dead one's no more", async () => !(await owners()).includes("dying"));
      await eventually("the name is gone from the screen", async () => !/^dying +[A-Z]/m.test(screen()));
      press("C-c");
      await eventually("it gives the terminal back", async () => screen().startsWith("ended 0"));
    });
    const infos = (await redis.server.command("XINFO", "CONSUMERS", stream, "g")) as string[][];
    expect(infos.map((info) => info[1])).not.toContain("dying");
  });
});

describe("cleanup", () => {
  it("plans, then releases and removes the name", async () => {
    const { stream, ids } = await leftBehind("cleanup");
    await age(stream, ids.slice(0, 2));
    const args = ["cleanup", stream, "g", "--foreign-idle", "1s", "--idle-threshold", "1s"];
    await eventually(
      "it has been silent for long enough",
      async () => {
        const { steps, notes } = await cli.json(args);
        expect(notes).toHaveLength(1);
        return (steps as { does: string; messages: number }[]).some(
          (step) => step.does === "stays" && step.messages === 2,
        );
      },
      { timeoutMs: 15_000 },
    );
    await using consumer = new Consumer({
      redis: redis.server.url,
      stream,
      group: "g",
      name: "alive",
      leaseMs: 900,
      recoverEveryMs: 3_600_000,
      prefetch: 0,
      batchSize: 1,
    });
    await consumer.fetch();
    await eventually(
      "its silence is long enough",
      async () => {
        const [table, json] = await Promise.all([cli.run(args), cli.json([...args, "--dry-run"])]);
        if ((json["steps"] as { does: string }[])[0]?.does !== "released") return false;
        expectEnd(table, 6, "Run again with --yes to apply.");
        expectSameContent(table.stdout, json);
        return true;
      },
      { timeoutMs: 15_000 },
    );
    const { done, steps } = await cli.json([...args, "--yes"]);
    expect(done).toBe(true);
    expect(steps).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ consumer: "gone", does: "released", messages: 2, to: "any consumer" }),
        expect.objectContaining({ consumer: "gone", does: "name removed" }),
      ]),
    );
    expectEnd(await cli.run(args), 0, "nothing");
  });
});

describe("cleanup of a consumer that is not of Redis Batch", () => {
  it("says how long its messages wait, and what acts sooner", async () => {
    const stream = uniqueName("foreign");
    await redis.server.command("XADD", stream, "*", "n", "1");
    await redis.server.command("XGROUP", "CREATE", stream, "g", "0");
    await redis.server.command("XREADGROUP", "GROUP", "g", "other", "COUNT", 1, "STREAMS", stream, ">");
    const ended = await cli.run(["cleanup", stream, "g"]);
    expectEnd(ended, 0, '"other" in 9 min (1 message)', "idle for 10 min", "--foreign-idle", "`redis-batch reassign`");
    expect(ended.stdout).not.toMatch(/no consumer is dead|^done/m);
  });
});

describe("trim", () => {
  it("names who needs the rest, and drops what every group has finished", async () => {
    const stream = uniqueName("trim");
    const ids: string[] = [];
    for (let n = 0; n < 300; n++) ids.push(String(await redis.server.command("XADD", stream, "*", "n", n)));
    expect(await cli.json(["trim", stream])).toMatchObject({ safeId: null, droppable: 0 });
    await redis.server.command("XGROUP", "CREATE", stream, "slow", ids[249] ?? "");
    const [table, json] = await Promise.all([cli.run(["trim", stream]), cli.json(["trim", stream, "--dry-run"])]);
    expectEnd(table, 6);
    expectSameContent(table.stdout, json);
    expect(json).toMatchObject({ length: 300, pinnedBy: "slow", droppable: 249, droppableExact: true });
    expect(await cli.json(["trim", stream, "--yes"])).toMatchObject({ dropped: 200, done: true });
    expect(await redis.server.command("XLEN", stream)).toBe(100);
    expectEnd(await cli.run(["trim", uniqueName("nowhere")]), 5);
  });
});

describe("check", () => {
  it("judges the health of the group whatever the limits, unless told not to", async () => {
    const { server } = redis;
    const ahead = uniqueName("ahead");
    await server.command("XADD", ahead, "*", "n", 1);
    await server.command("XGROUP", "CREATE", ahead, "g", "99999999999999-0");
    expectEnd(
      await cli.run(["check", ahead, "g"]),
      2,
      "CRITICAL",
      "health AHEAD, its position, 99999999999999-0, is ahead",
    );
    expectEnd(await cli.run(["check", ahead, "g", "--ignore-health"]), 0, "OK  ");
    expectEnd(await cli.run(["check", ahead, "g", "--format", "nagios"]), 2, "REDIS_BATCH CRITICAL - ", "health AHEAD");
    const doctor = await cli.run(["doctor", ahead, "g"]);
    expect(doctor.code).not.toBe(0);
    expect(doctor.stdout).toMatch(/problem.*ahead of the stream/);
    expect(doctor.stdout).toContain(`redis-batch group seek ${ahead} g --to end`);

    const idle = uniqueName("stopped");
    await server.command("XADD", idle, "*", "n", 1);
    await server.command("XGROUP", "CREATE", idle, "g", "0");
    expectEnd(await cli.run(["check", idle, "g", "--max-backlog", "9"]), 2, "health STOPPED, 1 message is waiting");
  });

  it("sees at its first look that a handler of one consumer hangs beside others that work", async () => {
    const { stream } = await leftBehind("hung");
    const details = { inFlight: 2, oldestInFlightMs: 300_000, holdLimitMs: 600_000, concurrency: 1 };
    const field = { v: 1, at: Date.now(), leaseMs: 60_000, incarnation: "i", ...details };
    await redis.server.command("HSET", `rb:{${stream}}:consumers:${stream}:g`, "gone", JSON.stringify(field));
    await redis.server.command("XGROUP", "CREATECONSUMER", stream, "g", "works");
    expectEnd(
      await cli.run(["check", stream, "g"]),
      1,
      "WARNING",
      'consumer "gone" STALLED, it is alive, and a handler has been',
    );
    expect.hasAssertions();
  });

  it("judges by its limits, in every format, with the exit codes of monitoring systems", async () => {
    const { stream } = await leftBehind("check");
    const run = (...limits: string[]) => cli.run(["check", stream, "g", ...limits]);
    expectEnd(await run("--max-backlog", "3", "--max-pending", "2"), 0, "OK  ");
    expectEnd(
      await run("--warn-backlog", "2", "--max-backlog", "10"),
      1,
      "WARNING",
      "backlog 3 (warning above 2; critical above 10)",
    );
    expectEnd(
      await run("--max-age", "0", "--format", "nagios"),
      2,
      "REDIS_BATCH CRITICAL - ",
      "age_ms",
      " | backlog=3;;",
    );
    expectEnd(
      await run("--min-consumers", "2", "--format", "prometheus"),
      2,
      `redis_batch_check_status{stream="${stream}",group="g"} 2`,
      'measure="consumers"} 1',
    );
    const limits = ["--warn-pending", "1", "--warn-backlog", "9", "--max-backlog", "10", "--min-consumers", "1"];
    const [text, json] = await Promise.all([run(...limits), cli.json(["check", stream, "g", ...limits])]);
    expect(json).toMatchObject({ stream, group: "g", status: "warning", problem: null });
    const [head, ...told] = text.stdout.trimEnd().split("\n");
    expect(head).toBe(`WARNING  ${stream} / g`);
    // An age goes on between the two.
    expect(told.map((line) => line.replace(/age [\d.]+(ms|s|m)\S*/, "age N"))).toEqual(
      (json["measures"] as Readonly<Record<string, unknown>>[]).map(
        ({ name, value, status, words: judged, ...limit }) => {
          if (typeof judged === "string") return `  ${String(status).padEnd(9)} ${String(name)} ${judged}`;
          const words = {
            warnAbove: "warning above",
            criticalAbove: "critical above",
            criticalBelow: "critical below",
          };
          const set = Object.entries(words).filter(([key]) => limit[key] !== null);
          const behind = set.map(([key, word]) => `${word} ${String(limit[key])}`).join("; ");
          const what = name === "consumers" ? "healthy consumers" : String(name).replace("_", " ");
          const shown = name === "age_ms" ? "age N" : `${what} ${String(value)}`;
          return `  ${String(status).padEnd(9)} ${shown}${behind === "" ? "" : ` (${behind})`}`;
        },
      ),
    );
    expectEnd(
      await cli.run(["check", stream, "nobody", "--format", "nagios"]),
      3,
      "REDIS_BATCH UNKNOWN - ",
      'has no group "nobody"',
    );
    const away = await cli.run(["check", stream, "g", "--connect-timeout", "200ms"], {
      env: { REDIS_URL: "redis://127.0.0.1:1" },
    });
    expectEnd(away, 3, "UNKNOWN", "ECONNREFUSED");
    // Wrong options are no verdict on the group.
    expectEnd(await run("--max-backlog", "many"), 3, "must be a whole number");
    expectEnd(await run("--max-age", "1m", "--warn-age", "2m"), 3, "UNKNOWN", "--warn-age is above --max-age");
    expect.hasAssertions();
  });
});

describe("scale", () => {
  it("tells both decisions with their reasons, by the original's thresholds, and learns with --watch", async () => {
    const { stream } = await leftBehind("scale");
    const [table, json] = await Promise.all([cli.run(["scale", stream, "g"]), cli.json(["scale", stream, "g"])]);
    expectEnd(table, 0);
    expectSameContent(table.stdout, json);
    const [ratio, throughput] = json["decisions"] as Record<string, unknown>[];
    // Three wait, two are pending, and a consumer that is not ours has them.
    expect(ratio).toMatchObject({
      strategy: "ratio",
      direction: "OUT",
      current: 1,
      desired: 2,
      rate: 100,
      binding: "rule",
    });
    expect(throughput).toMatchObject({ strategy: "throughput", current: 1 });
    const bounded = await cli.json(["scale", stream, "g", "--strategy", "ratio", "--max", "1"]);
    expect(bounded["decisions"]).toMatchObject([{ direction: "NO_SCALE", desired: 1, binding: "max" }]);
    expectEnd(
      await cli.run(["scale", stream, "g", "--strategy", "ratio", "--out-rate", "5"]),
      2,
      "--in-rate (10) must not be above --out-rate (5)",
    );
    expectEnd(await cli.run(["scale", stream, "nobody"]), 5, 'has no group "nobody"');
    await using watching = await cli.start(["scale", stream, "g", "--watch", "--interval", "100ms"]);
    await watching.waitForLine(/^ratio: OUT, 1 -> 2: 3 waiting and 2 pending is a rate of 100/);
    await watching.waitForLine(/^throughput: /, { after: 3 });
    watching.kill("SIGINT");
    expect((await watching.exited).code).toBe(0);
  });
});

describe("monitor serve", () => {
  it("serves metrics and probes until Ctrl-C", async () => {
    const { stream } = await leftBehind("serve");
    await using process = await cli.start(["monitor", "serve", stream, "--port", "0", "--interval", "100ms"]);
    const line = await process.waitForLine(/^url +http/);
    const url = line.split(/ +/)[1] ?? "";
    const metrics = await (await fetch(`${url}/metrics`)).text();
    expect(metrics).toContain(`stream="${stream}"`);
    expect((await fetch(`${url}/readyz`)).status).toBe(200);
    process.kill("SIGINT");
    expect((await process.exited).code).toBe(0);
  });

  it("serves the dashboard as well with --ui, of this stream only, and to look at", async () => {
    const { stream } = await leftBehind("serve-ui");
    const { stream: other } = await leftBehind("other");
    await using process = await cli.start(["monitor", "serve", stream, "--port", "0", "--ui", "--ui-port", "0"]);
    const metrics = (await process.waitForLine(/^url +http/)).split(/ +/)[1] ?? "";
    const ui = (await process.waitForLine(/^ui +http/)).split(/ +/)[1] ?? "";
    expect((await fetch(`${metrics}/metrics`)).status).toBe(200);
    await eventually("the group is shown", async () => (await fetch(`${ui}api/group?stream=${stream}&group=g`)).ok);
    expect((await fetch(`${ui}api/group?stream=${other}&group=g`)).status).toBe(404);
    expect(await (await fetch(`${ui}api/session`)).json()).toMatchObject({ mayAct: false, how: "anyone" });
    process.kill("SIGINT");
    expect((await process.exited).code).toBe(0);
  });
});
