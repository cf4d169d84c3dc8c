/** The process pool, with real processes. */
import { readFile } from "node:fs/promises";
import { ConfigError, UsageError } from "@redis-batch/core";
import { EventRecorder, eventually, ManualClock, runWorker } from "@redis-batch/test-support";
import { describe, expect, it, onTestFinished } from "vitest";
import { ProcessPool, type ProcessPoolEvent, type ProcessPoolOptions } from "../src/index.ts";

const PATIENT = "process.on('SIGTERM', () => process.exit(0)); setInterval(() => {}, 1000); console.log('ready')";
// What a program is started with, it ignores on.
const STUBBORN = { command: "sh", args: ["-c", "trap '' TERM; exec sleep 60"] };
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
    expect(await pool.survey()).toMatchObject({ desired: 3, ready: null });
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
    await pool.resign();
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

  it("leaves no worker behind when its process ends without closing it", async () => {
    await using owner = await runWorker(new URL("pool-owner.worker.ts", import.meta.url));
    const pid = Number(await owner.waitForLine(/^\d+$/));
    expect(await owner.exited).toMatchObject({ code: 3 });
    await eventually("the worker is gone", () => !isThere(pid));
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
