/** The process pool, with real processes. */
import { readFile } from "node:fs/promises";
import { ConfigError, UsageError } from "@redis-batch/core";
import {
  EventRecorder,
  eventually,
  isProcessAlive,
  ManualClock,
  runWorker,
  type WorkerProcess,
} from "@redis-batch/test-support";
import { describe, expect, it, onTestFinished } from "vitest";
import { PoolGuard } from "../src/executors/pool-guard.ts";
import { ProcessPool, type ProcessPoolEvent, type ProcessPoolOptions } from "../src/index.ts";

const PATIENT = "process.on('SIGTERM', () => process.exit(0)); setInterval(() => {}, 1000); console.log('ready')";
// What a program is started with, it ignores on.
const STUBBORN = { command: "sh", args: ["-c", "trap '' TERM; exec sleep 60"] };
const PATIENCE = { timeoutMs: 20_000 };
const never = new AbortController().signal;
const node = (script: string) => ({ command: process.execPath, args: ["-e", script] });

function open(options: Partial<ProcessPoolOptions> = {}, edge?: ConstructorParameters<typeof ProcessPool>[1]) {
  const events = new EventRecorder<ProcessPoolEvent>();
  const all = { ...node(PATIENT), observer: events.observe, ...options };
  const pool = edge === undefined ? new ProcessPool(all) : new ProcessPool(all, edge);
  onTestFinished(() => pool.close());
  let sequence = 0;
  const scale = (desired: number, term = 1): Promise<void> =>
    pool.scale({ desired }, new AbortController().signal, { stream: "s", group: "g", term, sequence: ++sequence });
  const started = (count: number) =>
    eventually(`${count} workers have started`, () => events.all("workerStarted").length === count);
  return { pool, events, scale, started };
}

const isThere = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

describe("a process pool", () => {
  it("starts what is missing, and has the last ones end when they are not needed, waiting for each", async () => {
    const { pool, events, scale, started } = open();
    await scale(3);
    await started(3);
    expect(await pool.status()).toMatchObject({ desired: 3, ready: null });
    const pids = events.all("workerStarted").map(({ pid }) => pid);
    await scale(1);
    expect(pool.size).toEqual({ wanted: 1, atWork: 1, leaving: 2 });
    await eventually("two have ended", () => events.all("workerEnded").length === 2);
    expect(pool.size).toEqual({ wanted: 1, atWork: 1, leaving: 0 });
    expect(events.all("workerDraining").map(({ pid }) => pid)).toEqual(pids.slice(1).toReversed());
    expect(events.all("workerEnded").every(({ wasAsked }) => wasAsked)).toBe(true);
    expect(pids.map(isThere)).toEqual([true, false, false]);
  });

  it("kills one that does not end in time, and says so", async () => {
    const { pool, events, scale, started } = open({ ...STUBBORN, drainMs: 1_000 });
    await scale(1);
    await started(1);
    // Until then it does not know the signal, and would end by it.
    const pid = events.all("workerStarted")[0]?.pid ?? 0;
    await eventually("it ignores SIGTERM", async () => ignoresTerm(pid));
    await pool.close();
    expect(events.all("workerKilled")).toEqual([{ type: "workerKilled", pid, afterMs: 1_000 }]);
    expect(events.all("workerEnded")).toEqual([{ type: "workerEnded", pid, reason: "SIGKILL", wasAsked: true }]);
  });

  it("replaces one that crashed, after waits that grow, and goes on counting it", async () => {
    const clock = new ManualClock();
    const { pool, events, scale } = open(node("process.exit(3)"), { clock, random: () => 1 });
    await scale(1);
    for (const [attempt, inMs] of [1_000, 2_000, 4_000].entries()) {
      await eventually("it has ended", () => events.all("workerRestarting").length === attempt + 1);
      expect(events.all("workerRestarting").at(-1)).toEqual({ type: "workerRestarting", inMs, attempt: attempt + 1 });
      expect(events.all("workerEnded").at(-1)).toMatchObject({ reason: "exit code 3", wasAsked: false });
      expect(pool.size).toEqual({ wanted: 1, atWork: 0, leaving: 0 });
      await clock.advance(inMs);
    }
  });

  it("begins with short waits again after one that lived for long", async () => {
    const clock = new ManualClock();
    const { events, scale, started } = open({}, { clock, random: () => 0 });
    await scale(1);
    await started(1);
    await clock.advance(30_001);
    for (let round = 1; round <= 2; round++) {
      process.kill(events.all("workerStarted").at(-1)?.pid ?? 0, "SIGKILL");
      await eventually("it is to be replaced", () => events.all("workerRestarting").length === round);
      await clock.advance(1_000);
      await started(round + 1);
    }
    expect(events.all("workerRestarting").map(({ attempt }) => attempt)).toEqual([1, 2]);
  });

  it("takes away first what waits for its restart", async () => {
    const clock = new ManualClock();
    const { pool, events, scale, started } = open({}, { clock, random: () => 0 });
    await scale(3);
    await started(3);
    process.kill(events.all("workerStarted")[0]?.pid ?? 0, "SIGKILL");
    await eventually("it has ended", () => pool.size.atWork === 2);
    await scale(2);
    expect(pool.size).toEqual({ wanted: 2, atWork: 2, leaving: 0 });
    expect(events.all("workerDraining")).toEqual([]);
  });

  it("goes on trying to start what cannot be started", async () => {
    const { pool, events, scale } = open({ command: "/there/is/no/such/program", args: [] });
    await scale(2);
    await eventually("both have failed", () => events.all("workerRestarting").length >= 2);
    expect(events.all("workerEnded")[0]).toEqual({
      ...{ type: "workerEnded", pid: null, reason: "ENOENT", wasAsked: false },
    });
    await pool.close();
    expect(pool.size).toEqual({ wanted: 0, atWork: 0, leaving: 0 });
  });

  it("keeps to its own bounds, whatever is decided", async () => {
    const { pool, scale } = open({ minWorkers: 1, maxWorkers: 2 });
    await scale(50);
    expect(pool.size.wanted).toBe(2);
    await scale(0);
    expect(pool.size.wanted).toBe(1);
  });

  it("drains all when another scaler leads, and refuses what an earlier leader orders", async () => {
    const { pool, scale, started } = open();
    await scale(2, 5);
    await started(2);
    await pool.onLeadershipLost();
    expect(pool.size.wanted).toBe(0);
    await expect(scale(3, 4)).rejects.toThrow(UsageError);
    expect(pool.size.wanted).toBe(0);
    await scale(1, 6);
    expect(pool.size.wanted).toBe(1);
  });

  it("is closed for good, as often as it is asked to", async () => {
    const { pool, events, scale, started } = open();
    await scale(2);
    await started(2);
    await Promise.all([pool.close(), pool.close()]);
    expect(events.all("workerEnded")).toHaveLength(2);
    await expect(scale(1)).rejects.toThrow("closed");
  });

  it.each([
    { how: "ends without closing it", end: (owner: WorkerProcess) => owner.send("end"), exit: { code: 3 } },
    { how: "is killed", end: (owner: WorkerProcess) => owner.kill("SIGKILL"), exit: { signal: "SIGKILL" } },
  ])("leaves no worker behind when its process $how, and tells each once to end", async ({ end, exit }) => {
    await using owner = await runWorker(new URL("pool-owner.worker.ts", import.meta.url));
    const pid = Number((await owner.waitForLine(/^worker/, PATIENCE)).split(" ")[1]);
    end(owner);
    // Its output is the worker's as well, and is open as long as that is there.
    expect(await owner.exited).toMatchObject(exit);
    await eventually("the worker is gone", () => !isProcessAlive(pid));
    expect(owner.lines.filter((line) => line === "told")).toHaveLength(1);
  });

  // Only Linux lists the children of a process, which is how the guard is found.
  it.skipIf(process.platform !== "linux")("is guarded again after its guard was killed", async () => {
    await using owner = await runWorker(new URL("pool-owner.worker.ts", import.meta.url));
    const pid = Number((await owner.waitForLine(/^worker/, PATIENCE)).split(" ")[1]);
    const guards = async (): Promise<number[]> => {
      const children = await readFile(`/proc/${owner.pid}/task/${owner.pid}/children`, "utf8");
      const pids = children.split(" ").filter(Boolean).map(Number);
      const lines = await Promise.all(pids.map((child) => readFile(`/proc/${child}/cmdline`, "utf8").catch(() => "")));
      return pids.filter((_, at) => lines[at]?.includes("redis-batch-pool-guard"));
    };
    const [first = 0] = await guards();
    process.kill(first, "SIGKILL");
    await eventually("there is another one", async () => (await guards()).some((guard) => guard !== first), PATIENCE);
    owner.kill("SIGKILL");
    await owner.exited;
    await eventually("the worker is gone", () => !isProcessAlive(pid));
    expect(owner.lines.filter((line) => line === "told")).toHaveLength(1);
  });

  it("says once that it is not guarded where there is no shell", async () => {
    const events = new EventRecorder<ProcessPoolEvent>();
    const guard = new PoolGuard({ drainMs: 1_000, clock: new ManualClock(), report: events.observe }, "/no/such/shell");
    guard.open();
    guard.note(1, "started");
    expect(await events.waitFor("unguarded")).toEqual({ type: "unguarded", reason: "ENOENT" });
    guard.open();
    guard.note(2, "started");
    guard.close();
    expect(events.all("unguarded")).toHaveLength(1);
  });

  it("counts those of other pools, and starts no more than there is room for beside them", async () => {
    const { pool, scale } = open();
    const see = (stay: number, leave: number) => {
      const others = Array.from({ length: stay + leave }, (_, at) => ({ pool: "another", isLeaving: at >= stay }));
      return pool.status(never, {
        consumers: [...others, { pool: null, isLeaving: false }],
        maxConsumers: 6,
        leadsForMs: 60_000,
      });
    };
    expect(await see(5, 0)).toMatchObject({ desired: 5 });
    expect(pool.size.wanted).toBe(0);
    await scale(6);
    expect(pool.size.wanted).toBe(1);
    // They are on their way out: they do not count as workers, and there is no room for others yet.
    expect(await see(0, 5)).toMatchObject({ desired: 6 });
    expect(pool.size.wanted).toBe(1);
    await see(0, 2);
    expect(pool.size.wanted).toBe(4);
    await see(0, 0);
    expect(pool.size.wanted).toBe(6);
  });

  it("has no more processes than may be while some are on their way out", async () => {
    const { pool, events, scale, started } = open({ maxWorkers: 3 });
    await scale(3);
    await started(3);
    await scale(1);
    await scale(3);
    expect(pool.size).toMatchObject({ wanted: 1, leaving: 2 });
    await eventually("there are three again", () => pool.size.atWork === 3);
    expect(events.all("workerEnded")).toHaveLength(2);
  });

  it("starts nothing once its scaler may not lead any longer", async () => {
    const clock = new ManualClock();
    const { pool, events, scale, started } = open({}, { clock, random: () => 0 });
    const lead = (leadsForMs: number) => pool.status(never, { consumers: [], maxConsumers: 6, leadsForMs });
    await lead(10_000);
    await scale(1);
    await started(1);
    await clock.advance(10_000);
    process.kill(events.all("workerStarted")[0]?.pid ?? 0, "SIGKILL");
    await eventually("it is to be replaced", () => events.all("workerRestarting").length === 1);
    await clock.advance(5_000);
    await scale(2);
    expect(events.all("workerStarted")).toHaveLength(1);
    await lead(10_000);
    await clock.advance(1_000);
    await started(3);
  });

  it("hands arguments over as they are: nothing is a shell's", async () => {
    const text = "$(exit 9); `exit 9` && \"'";
    const script = `process.exit(process.argv[1] === ${JSON.stringify(text)} ? 7 : 8)`;
    const { events, scale } = open({ command: process.execPath, args: ["-e", script, text] });
    await scale(1);
    expect((await events.waitFor("workerEnded")).reason).toBe("exit code 7");
  });

  it("names every problem of its options", () => {
    const wrong = { minWorkers: 5, maxWorkers: 2, restartBaseMs: 50, restartCapMs: 20, comand: "x", observer: 7 };
    const make = (): ProcessPool => new ProcessPool(wrong as unknown as ProcessPoolOptions);
    expect(make).toThrow(ConfigError);
    expect(make).toThrow(
      /did you mean "command"[\s\S]*maxWorkers \(2\)[\s\S]*restartCapMs \(20\)[\s\S]*observer[\s\S]*command/,
    );
  });
});

/** Whether the process ignores SIGTERM, as the kernel knows it. */
async function ignoresTerm(pid: number): Promise<boolean> {
  const ignored = /^SigIgn:\s*([0-9a-f]+)$/m.exec(await readFile(`/proc/${pid}/status`, "utf8"))?.[1] ?? "0";
  return (BigInt(`0x${ignored}`) & (1n << 14n)) !== 0n;
}
