/** Commands that run until they are stopped: while there is nothing yet, and while the server does not answer. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { eventually, fairNowMs, uniqueName, useServer } from "@redis-batch/test-support";
import { describe, expect, it, onTestFinished } from "vitest";
import { needsTool, useCli } from "./cli.ts";
import { inTerminal } from "./in-terminal.ts";

const redis = useServer({ own: true });
const cli = useCli(redis);
const PATIENCE = { timeoutMs: 20_000 };
const OFTEN = ["--interval", "100ms"];

/** Adds a message to a stream, and makes a group of it. */
async function create(stream: string): Promise<void> {
  await redis.server.command("XADD", stream, "*", "n", 1);
  await redis.server.command("XGROUP", "CREATE", stream, "g", "0");
}

/** The server is frozen until it is resumed, or the test is over. */
async function freeze(): Promise<() => Promise<void>> {
  onTestFinished(() => redis.server.thaw());
  await redis.server.freeze();
  return () => redis.server.thaw();
}

describe("a command that goes on waits for a stream and a group that are not there yet", () => {
  const worker = ["--", process.execPath, "-e", "setInterval(() => {}, 1000)"];
  const command = ["--", process.execPath, "-e", "0"];
  it.each([
    { name: "monitor --watch", args: ["monitor", "STREAM", "g", "--watch", ...OFTEN], shows: /waiting 1, pending 0/ },
    {
      name: "monitor --auto-cleanup",
      args: ["monitor", "STREAM", "g", "--auto-cleanup", ...OFTEN],
      shows: /waiting 1, pending 0/,
    },
    {
      name: "scale --watch",
      args: ["scale", "STREAM", "g", "--watch", "--strategy", "ratio", ...OFTEN],
      shows: /1 waiting/,
    },
    { name: "scale run", args: ["scale", "run", "STREAM", "g", "--min", "0", ...OFTEN], shows: /0 -> 1/ },
    {
      name: "scale run --executor keda",
      args: ["scale", "run", "STREAM", "g", "--min", "0", "--executor", "keda", "--port", "0", ...OFTEN],
      shows: /0 -> 1/,
    },
    {
      name: "scale run --executor process",
      args: ["scale", "run", "STREAM", "g", "--min", "0", "--executor", "process", ...OFTEN, ...worker],
      shows: /0 -> 1/,
    },
    {
      name: "scale run --executor command",
      args: ["scale", "run", "STREAM", "g", "--min", "0", "--executor", "command", ...OFTEN, ...command],
      shows: /0 -> 1/,
    },
  ])("$name", async ({ args, shows }) => {
    const stream = uniqueName("yet");
    await using waiting = await cli.start(args.map((word) => (word === "STREAM" ? stream : word)));
    await eventually("it says so", () => waiting.stderr.includes(`there is no stream "${stream}": waiting`), PATIENCE);
    expect(waiting.lines.filter((line) => shows.test(line))).toEqual([]);
    await create(stream);
    await waiting.waitForLine(shows, PATIENCE);
    waiting.kill("SIGINT");
    expect((await waiting.exited).code).toBe(0);
  });

  it("and shows on a terminal what it waits for", async (context) => {
    needsTool(context, "tmux");
    const stream = uniqueName("screen");
    await redis.server.command("XADD", stream, "*", "n", 1);
    await inTerminal(cli, redis, [stream, "g"], async ({ screen, press, resize }) => {
      // Names of tests are long.
      resize(200, 16);
      const says = `the stream "${stream}" has no group "g": waiting`;
      await eventually("it says so", () => screen().includes(says), PATIENCE);
      expect(screen()).toMatch(new RegExp(`^${stream} / g *$`, "m"));
      await redis.server.command("XGROUP", "CREATE", stream, "g", "0");
      await eventually("it is drawn", () => /waiting +1 /.test(screen()), PATIENCE);
      press("q");
      await eventually("it ends well", () => screen().startsWith("ended 0"), PATIENCE);
    });
  });
});

describe("a command that keeps running says how old its picture is while the server is frozen", () => {
  it("monitor --watch, whose clock goes on", async (context) => {
    needsTool(context, "tmux");
    const stream = uniqueName("frozen");
    await create(stream);
    await inTerminal(cli, redis, [stream, "g"], async ({ screen, press }) => {
      const clock = (): string => /^(\S+Z) .*q quit/m.exec(screen())?.[1] ?? "";
      const ageSeconds = (): number => Number(/ ([\d.]+)s ago: /.exec(screen().split("\n")[0] ?? "")?.[1] ?? 0);
      await eventually("it is drawn", () => /waiting +1 /.test(screen()), PATIENCE);
      const thaw = await freeze();
      const drawn = clock();
      await eventually("it says how old it is", () => ageSeconds() >= 3, PATIENCE);
      await eventually("it gets older, and the clock goes on", () => ageSeconds() >= 5 && clock() > drawn, PATIENCE);
      expect(screen()).toContain("s ago: ");
      await thaw();
      await eventually("it is new again", () => ageSeconds() === 0 && clock() > drawn, PATIENCE);
      await freeze();
      press("q");
      await eventually("it says how to end at once", () => screen().includes("press q again"), PATIENCE);
      press("q");
      await eventually("it ends while the server is frozen", () => screen().startsWith("ended 130"), PATIENCE);
    });
  });

  it.each([
    { name: "monitor --watch", args: ["monitor", "STREAM", "g", "--watch", ...OFTEN] },
    { name: "scale --watch", args: ["scale", "STREAM", "g", "--watch", ...OFTEN] },
    { name: "tail --follow", args: ["tail", "STREAM", "--follow"] },
  ])("$name", async ({ args }) => {
    const stream = uniqueName("silent");
    await create(stream);
    await using watching = await cli.start(args.map((word) => (word === "STREAM" ? stream : word)));
    await watching.waitForLine(() => true, PATIENCE);
    const thaw = await freeze();
    await eventually("it says so", () => /the last answer was 3\.\ds ago/.test(watching.stderr), PATIENCE);
    const before = watching.lines.length;
    await thaw();
    await redis.server.command("XADD", stream, "*", "n", 2);
    await watching.waitForLine(() => true, { ...PATIENCE, after: before });
    watching.kill("SIGINT");
    expect((await watching.exited).code).toBe(0);
  });
});

it("consume ends soon at SIGTERM while the server is frozen, when nothing is at work", async () => {
  const stream = uniqueName("silent");
  await create(stream);
  await using process = await cli.start(["consume", stream, "g", "--max-wait", "50ms"]);
  await process.waitForLine(() => true, PATIENCE);
  await eventually("it is acknowledged", async () => {
    const [pending] = (await redis.server.command("XPENDING", stream, "g")) as [number];
    return pending === 0;
  });
  await freeze();
  const sinceMs = fairNowMs();
  process.kill("SIGTERM");
  await process.exited;
  expect(fairNowMs() - sinceMs).toBeLessThan(8_000);
});

it("produce says at a second Ctrl-C where to go on, while the server says nothing", async () => {
  const stream = uniqueName("frozen");
  const file = join(cli.folder, `${stream}.ndjson`);
  writeFileSync(file, Array.from({ length: 100_000 }, (_, n) => `{"n":${n}}\n`).join(""));
  const added = async (): Promise<number> => Number(await redis.server.command("XLEN", stream));
  await using process = await cli.start(["produce", stream, "--file", file, "--rate", "1000"]);
  await eventually("some are added", async () => (await added()) > 0, PATIENCE);
  const thaw = await freeze();
  process.kill("SIGINT");
  await eventually("it waits for the server", async () => process.stderr.includes("press Ctrl-C again"), PATIENCE);
  process.kill("SIGINT");
  expect((await process.exited).code).toBe(130);
  const [, line = ""] = /continue with --from-line (\d+)/.exec(process.stderr) ?? [];
  await thaw();
  // Continuing from this line skips nothing.
  expect(Number(line)).toBeGreaterThan(1);
  expect(Number(line)).toBeLessThanOrEqual((await added()) + 1);
});
