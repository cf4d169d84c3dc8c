/** What is changed in options after they were given changes nothing; what an executor throws stops nothing. */
import { EventRecorder, ODD_VALUES, sealable, uniqueName, useServer } from "@redis-batch/test-support";
import { expect, it, onTestFinished, vi } from "vitest";
import {
  commandExecutor,
  type Executor,
  ProcessPool,
  Scaler,
  type ScalerEvent,
  webhookExecutor,
} from "../src/index.ts";
import { ORDER, scaleOut } from "./decision-samples.ts";

const redis = useServer();
const never = new AbortController().signal;

it("options are copied by a scaler and its executors", async () => {
  const made = sealable({ redis: { ...redis.server.options }, stream: uniqueName("stream"), group: "g" });
  await using scaler = new Scaler(made.options);
  made.seal();
  expect((await scaler.decide()).desired).toBeGreaterThanOrEqual(0);

  const command = sealable({
    command: process.execPath,
    args: ["-e", "process.exit(process.env.A === 'b' ? 0 : 1)"],
    env: { A: "b" },
  });
  const executor = commandExecutor(command.options);
  command.seal();
  await executor.scale(scaleOut(), never, ORDER);

  const pooled = sealable({ command: process.execPath, args: ["-e", "process.exit(0)"], env: { A: "b" } });
  await using pool = new ProcessPool({ ...pooled.options, observer: () => {} });
  pooled.seal();
  await pool.scale({ desired: 1 }, never, ORDER);

  const hook = sealable({ url: "http://127.0.0.1:1", headers: { authorization: "x" }, maxAttempts: 1 });
  const sending = webhookExecutor(hook.options);
  hook.seal();
  await expect(sending.scale(scaleOut(), never, ORDER)).rejects.toThrow("could not be reached");
});

it.each(ODD_VALUES)("an executor that throws %s at every turn ends no run", async (_what, value) => {
  const warned = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
  onTestFinished(() => warned.mockRestore());
  const events = new EventRecorder<ScalerEvent>();
  const throwing = (): never => {
    throw value;
  };
  let surveys = 0;
  const executor: Executor = {
    name: "broken",
    status: async () =>
      surveys++ % 2 === 0 ? throwing() : { desired: 0, ready: null, startingMs: [], startUpsMs: [] },
    onDecision: throwing,
    scale: async () => throwing(),
    onLeadershipLost: async () => throwing(),
  };
  await using scaler = new Scaler({
    ...{ redis: redis.server.options, stream: uniqueName("stream"), group: "g", observer: events.observe },
    minConsumers: 1,
  });
  const stop = new AbortController();
  const running = scaler.run({ executor, intervalMs: 100, leaseMs: 1_000, signal: stop.signal });
  const { error } = await events.waitFor("passFailed");
  expect(error.code).toBe("UNKNOWN");
  // What it throws where it is only told something does not keep the order from being given.
  expect((await events.waitFor("scaleFailed")).error.message.length).toBeLessThan(10_000);
  stop.abort();
  await running;
  expect(String(warned.mock.calls[0]?.[0])).toMatch(/^onDecision\(\) of the executor broken threw: /);
});

it("a worker that cannot even be started is reported, and tried again", async () => {
  const events = new EventRecorder<{ readonly type: string }>();
  await using pool = new ProcessPool({
    ...{ command: process.execPath, args: ["a\0b"], restartBaseMs: 10, restartCapMs: 10 },
    observer: events.observe,
  });
  await pool.scale({ desired: 1 }, never, ORDER);
  await events.waitFor("workerRestarting", { count: 3 });
  expect(pool.size).toMatchObject({ wanted: 1, atWork: 0 });
});
