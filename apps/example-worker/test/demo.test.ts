import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { fileURLToPath } from "node:url";
import { eventually, findServer, RedisServer, type Reply } from "@redis-batch/test-support";
import { afterEach, describe, expect, it } from "vitest";
import { expectedTotals, readCommits } from "../demo/commit-data.ts";

const DEMO = fileURLToPath(new URL("../demo/demo.ts", import.meta.url));

const demos: DemoRun[] = [];
afterEach(() => {
  for (const { child } of demos.splice(0)) signalGroup(child, "SIGKILL");
});

/** The demo as a process group of its own, as a terminal runs it. */
interface DemoRun {
  readonly child: ChildProcess;
  readonly output: () => string;
  readonly exitCode: Promise<number | null>;
  /** Waits for such a text in its output. */
  readonly says: (text: string) => Promise<unknown>;
}

function runDemo(env: Readonly<Record<string, string>> = {}): DemoRun {
  const child = spawn(process.execPath, ["--conditions=@redis-batch/source", DEMO], {
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, NODE_OPTIONS: "", ...env },
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
  }
  const run: DemoRun = {
    child,
    output: () => output,
    exitCode: once(child, "close").then(([code]) => code as number | null),
    says: (text) => eventually(`the demo says "${text}"`, () => output.includes(text), { timeoutMs: 20_000 }),
  };
  demos.push(run);
  return run;
}

function signalGroup({ pid = 0 }: ChildProcess, signal: NodeJS.Signals | 0): boolean {
  try {
    process.kill(-pid, signal);
    return true;
  } catch {
    return false;
  }
}

/** Whether anything that the demo started still runs. */
function isRunning(child: ChildProcess): boolean {
  return signalGroup(child, 0);
}

function foldersOf({ pid }: ChildProcess): readonly string[] {
  return readdirSync(tmpdir())
    .filter((name) => name.startsWith(`rb-${pid}-`))
    .map((name) => join(tmpdir(), name));
}

/** Streams left on a server that is not the demo's own. */
async function streamsLeft({ pid }: ChildProcess): Promise<Reply> {
  const source = await findServer();
  return source.kind === "external"
    ? RedisServer.external(source.url).command("EXISTS", `redis-commits-${pid}`)
    : Promise.resolve(0);
}

function storedMessages(child: ChildProcess): number {
  const path = foldersOf(child)
    .map((folder) => join(folder, "commits.db"))
    .find(existsSync);
  if (path === undefined) return 0;
  const database = new DatabaseSync(path, { readOnly: true, timeout: 5_000 });
  try {
    return Number(database.prepare("SELECT count(*) AS stored FROM commits").get()?.["stored"]);
  } finally {
    database.close();
  }
}

describe("the demo", () => {
  it("stores the commits and checks the totals", async () => {
    const { child, exitCode, output } = runDemo({ DEMO_LIMIT: "500", NO_COLOR: "1" });
    expect(await exitCode).toBe(0);
    const { messages, insertions, deletions } = expectedTotals(readCommits(500));
    expect(messages).toBe(500);
    const number = (value: number): string => value.toLocaleString("en-US");
    // No matter which of them was killed.
    expect(output()).toMatch(/^worker 3[ ,]/m);
    expect(output()).toMatch(new RegExp(`^total +500 +${number(insertions)} +${number(deletions)}$`, "m"));
    expect(output()).toMatch(/^2009 +435 /m);
    expect(output()).toMatch(/^✓ each message stored exactly once +0 missing, 0 more than once$/m);
    expect(output()).not.toContain("✗");
    expect(output()).not.toContain("\u001b");
    expect(foldersOf(child)).toEqual([]);
    expect(isRunning(child)).toBe(false);
  });

  it("kills a worker, sees it dead, and hands over exactly what it held", async () => {
    const { exitCode, output } = runDemo({ NO_COLOR: "1" });
    expect(await exitCode).toBe(0);
    const [, name = "", held = ""] = /^killed +(worker \d), which held ([\d,]+) messages$/m.exec(output()) ?? [];
    expect(name).not.toBe("");
    expect(output()).toMatch(new RegExp(`^monitor +reports ${name} as dead:$`, "m"));
    expect(output()).toMatch(new RegExp(`^\\| +\\S+ \\| +\\d+ \\| +${held.replaceAll(",", "")} \\| DEAD +\\|$`, "m"));
    expect(output()).toMatch(/^handed over [\d,]+ messages?, to any worker with room$/m);
    expect(output()).toMatch(new RegExp(`^✓ messages handed over from the killed worker +${held}$`, "m"));
    expect(output()).toMatch(new RegExp(`^${name}, killed `, "m"));
    // Each of them is somebody's redelivered message: messages, batches, redelivered, messages/s.
    expect(output()).toMatch(new RegExp(`^total, [\\d.]+ s +[\\d,]+ +[\\d,]+ +${held} +[\\d,]+$`, "m"));
    expect(output()).toMatch(/^✓ messages not acknowledged +0$/m);
    expect(output()).toMatch(
      /^scaler +while working: +(OUT|IN|NO_SCALE), rate [\d.]+ \(\d+ waiting and \d+ pending is a rate of /m,
    );
    expect(output()).toMatch(/^scaler +done: +NO_SCALE, rate 0 \(0 waiting and 0 pending: there are no messages; /m);
    expect(output()).toMatch(/^scaler +by throughput: +(OUT|IN|NO_SCALE), rate [\d.]+ \(.+\)$/m);
  });

  it("kills nobody when there is nothing left to be killed over", async () => {
    const { exitCode, output } = runDemo({ DEMO_LIMIT: "1", NO_COLOR: "1" });
    expect(await exitCode).toBe(0);
    expect(output()).toMatch(/^killed +no worker: /m);
    expect(output()).not.toMatch(/handed over|, killed/);
  });

  it("takes no limit that is not in the data", async () => {
    const { exitCode, output } = runDemo({ DEMO_LIMIT: "12273" });
    expect(await exitCode).toBe(2);
    expect(output()).toContain("DEMO_LIMIT must be a whole number from 1 to 12272");
  });

  it.each([
    ["while the server starts", ({ says }: DemoRun) => says("commits of Redis")],
    ["while it produces", ({ says }: DemoRun) => says("server ")],
    ["while the workers start", ({ says }: DemoRun) => says("produced ")],
    [
      "while the workers store",
      ({ child }: DemoRun) =>
        eventually("something is stored", () => storedMessages(child), { timeoutMs: 20_000, pauseMs: 5 }),
    ],
  ])("leaves nothing behind after Ctrl-C %s", async (_, moment) => {
    const demo = runDemo();
    await moment(demo);
    signalGroup(demo.child, "SIGINT");
    expect(await demo.exitCode).toBe(130);
    expect(demo.output()).toContain("ended by SIGINT");
    await eventually("all of its processes are gone", () => !isRunning(demo.child));
    expect(foldersOf(demo.child)).toEqual([]);
    expect(await streamsLeft(demo.child)).toBe(0);
  });

  it("takes its workers and its server along when it is killed", async (context) => {
    const { kind } = await findServer();
    if (process.platform !== "linux") context.skip("only Linux ends processes with their parent");
    if (kind !== "binary") context.skip("a server in a container, or somebody else's, is not a child of the demo");
    const { child, exitCode } = runDemo();
    await eventually("something is stored", () => storedMessages(child), { timeoutMs: 20_000, pauseMs: 5 });
    child.kill("SIGKILL");
    await exitCode;
    expect(await eventually("all of its processes are gone", () => !isRunning(child))).toBe(true);
  });
});
