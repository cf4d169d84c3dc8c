/** Process pools of several scalers of one group, as real processes: what happens to workers when their leader is gone. */
import { groupKey } from "@redis-batch/core/internal/names";
import { eventually, isProcessAlive, runWorker, uniqueName, useServer } from "@redis-batch/test-support";
import { expect, it, onTestFinished } from "vitest";

const redis = useServer();
const PATIENCE = { timeoutMs: 60_000 };
const MOST = 6;

/** A group with work for everybody, and a count of the worker processes it ever had, taken again and again. */
async function bench(env: Readonly<Record<string, string>> = {}) {
  const { server } = redis;
  const [stream, group] = [uniqueName("stream"), "group"];
  await server.command("XGROUP", "CREATE", stream, group, 0, "MKSTREAM");
  for (let n = 0; n < 50; n++) await server.command("XADD", stream, "*", "n", n);
  const known = new Set<number>();
  let most = 0;
  const look = async (): Promise<readonly number[]> => {
    const fields = (await server.command("HGETALL", groupKey("consumers", stream, group))) as string[];
    const now = fields.filter((_, at) => at % 2 === 1).map((text) => (JSON.parse(text) as { pid: number }).pid);
    for (const pid of now) known.add(pid);
    most = Math.max(most, alive().length);
    return now;
  };
  const alive = (): number[] => [...known].filter(isProcessAlive);
  const over = new AbortController();
  const counting = (async () => {
    while (!over.signal.aborted) {
      await look();
      // Samples the processes; nothing waits for this.
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  })();
  onTestFinished(async () => {
    over.abort();
    await counting;
    // What a failed test leaves behind.
    for (const pid of alive()) process.kill(pid, "SIGKILL");
  });
  return {
    alive,
    most: () => most,
    registered: look,
    start: () =>
      runWorker(new URL("pool-leader.worker.ts", import.meta.url), {
        env: { REDIS_URL: server.url, STREAM: stream, GROUP: group, ...env },
      }),
    /** Resolves with the processes of the workers once there are that many. */
    working: (count: number, others: readonly number[] = []) =>
      eventually(
        `${count} work`,
        async () => {
          const pids = (await look()).filter((pid) => !others.includes(pid) && isProcessAlive(pid));
          return pids.length >= count && pids;
        },
        PATIENCE,
      ),
  };
}

it("workers of a pool whose process was killed drain by themselves, and there are never more than the maximum", async () => {
  // Longer than the lease: the next one leads while they are still there.
  const { start, working, alive, most } = await bench({ SLOW_MS: "3000" });
  await using first = await start();
  const orphans = await working(5);
  await using second = await start();
  await second.waitForLine(/"following"/, PATIENCE);
  first.kill();
  await second.waitForLine(/"leading"/, PATIENCE);
  const next = await working(5, orphans);
  expect(alive().filter((pid) => orphans.includes(pid))).toEqual([]);
  expect(most()).toBeLessThanOrEqual(MOST);
  second.kill("SIGTERM");
  expect(await second.exited).toMatchObject({ code: 0 });
  expect(next.filter(isProcessAlive)).toEqual([]);
});

it("workers of a pool whose process was killed are killed when they do not drain in time", async () => {
  const { start, working } = await bench({ SLOW_MS: "3600000", DRAIN_MS: "1000" });
  await using first = await start();
  const orphans = await working(5);
  first.kill();
  await eventually("they are gone", () => orphans.every((pid) => !isProcessAlive(pid)), PATIENCE);
  expect(orphans.length).toBeGreaterThanOrEqual(5);
});

it("a leader that was frozen and goes on has its workers drain, and there are never more than the maximum", async () => {
  const { start, working, alive, most } = await bench({ SLOW_MS: "5000" });
  await using first = await start();
  const held = await working(5);
  await using second = await start();
  await second.waitForLine(/"following"/, PATIENCE);
  first.kill("SIGSTOP");
  // One that it would replace as soon as it goes on.
  process.kill(held[0] ?? 0, "SIGKILL");
  await second.waitForLine(/"leading"/, PATIENCE);
  const before = first.lines.length;
  first.kill("SIGCONT");
  await first.waitForLine(/"following"/, { ...PATIENCE, after: before });
  await working(5, held);
  await eventually("those of the first are gone", () => held.every((pid) => !alive().includes(pid)), PATIENCE);
  expect(most()).toBeLessThanOrEqual(MOST);
  for (const each of [first, second]) each.kill("SIGTERM");
  expect([(await first.exited).code, (await second.exited).code]).toEqual([0, 0]);
});
