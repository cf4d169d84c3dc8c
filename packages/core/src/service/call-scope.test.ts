import { deferred, EventRecorder, ManualClock } from "@redis-batch/test-support";
import { createMemoryServer } from "@redis-batch/testing/internal";
import { describe, expect, test } from "vitest";
import { ConnectionError, UsageError } from "../errors/errors.ts";
import { CallScope, type CallScopeEvent } from "./call-scope.ts";

function open() {
  const clock = new ManualClock();
  const redis = createMemoryServer({ clock });
  const events = new EventRecorder<CallScopeEvent>();
  const calls = new CallScope({
    whenClosed: "the thing was closed",
    connectTimeoutMs: 1_000,
    clock,
    report: events.observe,
    createClient: (report) => redis.client({ report }),
  });
  const types = () => events.events.map(({ type }) => type);
  return { calls, redis, events, types };
}

/** A call that ends when it is told to. */
const untilAborted = (over: AbortSignal): Promise<void> =>
  new Promise((_, reject) => {
    over.addEventListener("abort", () => reject(over.reason));
  });

describe("a call", () => {
  test("connects, the first time", async () => {
    const { calls, types } = open();
    expect(calls.state).toBe("idle");
    expect(await calls.use(undefined, () => calls.client.xlen({ stream: "s" }))).toBe(0);
    await calls.use(undefined, async () => {});
    expect(calls.state).toBe("open");
    expect(types()).toEqual(["connected"]);
  });

  test("is not made without a connection", async () => {
    const { calls } = open();
    await calls.client.close();
    let isMade = false;
    const call = calls.use(undefined, async () => {
      isMade = true;
    });
    await expect(call).rejects.toThrow(ConnectionError);
    expect(isMade).toBe(false);
  });

  test("is told when its caller gives up, and the others are not", async () => {
    const { calls } = open();
    const controller = new AbortController();
    const given = calls.use(controller.signal, untilAborted);
    const finish = deferred<string>();
    const other = calls.use(undefined, () => finish.promise);
    controller.abort(new Error("enough"));
    await expect(given).rejects.toThrow("enough");
    finish.resolve("done");
    expect(await other).toBe("done");
    await expect(calls.use(controller.signal, async () => {})).rejects.toThrow("enough");
  });
});

describe("close", () => {
  test("tells every call, and lets go of the connection once they have ended", async () => {
    const { calls, types } = open();
    const finish = deferred<void>();
    const over = deferred<unknown>();
    const slow = calls.use(undefined, async (signal) => {
      signal.addEventListener("abort", () => over.resolve(signal.reason));
      await finish.promise;
      return calls.client.xlen({ stream: "s" });
    });
    const failing = calls.use(undefined, untilAborted);
    failing.catch(() => {});
    await expect.poll(types).toEqual(["connected"]);
    const closing = calls.close();
    expect(await over.promise).toEqual(new UsageError("the thing was closed"));
    expect(calls.state).toBe("closed");
    expect(types()).toEqual(["connected"]);
    finish.resolve();
    await closing;
    expect(await slow).toBe(0);
    await expect(failing).rejects.toThrow("the thing was closed");
    // The connection's end is not told beside it.
    expect(types()).toEqual(["connected", "closed"]);
  });

  test("is one, however often it is asked for", async () => {
    const { calls, types } = open();
    await Promise.all([calls.close(), calls.close()]);
    await calls.close();
    expect(types()).toEqual(["closed"]);
  });

  test("is final", async () => {
    const { calls } = open();
    await calls.close();
    expect(() => calls.assertOpen()).toThrow(new UsageError("the thing was closed"));
    await expect(calls.use(undefined, async () => {})).rejects.toThrow(UsageError);
    await expect(calls.run(undefined, async () => {})).rejects.toThrow(UsageError);
  });
});

describe("a run", () => {
  test("is one at a time", async () => {
    const { calls } = open();
    const finish = deferred<void>();
    const first = calls.run(undefined, () => finish.promise);
    await expect(calls.run(undefined, async () => {})).rejects.toThrow("another run is still active");
    finish.resolve();
    await first;
    await calls.run(undefined, async () => {});
  });

  test("that is told to end has not failed", async () => {
    const { calls } = open();
    const controller = new AbortController();
    const run = calls.run(controller.signal, untilAborted);
    controller.abort();
    await expect(run).resolves.toBeUndefined();
    const last = calls.run(undefined, untilAborted);
    await calls.close();
    await expect(last).resolves.toBeUndefined();
  });

  test("fails with what its call fails with", async () => {
    const { calls } = open();
    const call = async () => {
      throw new Error("no");
    };
    await expect(calls.run(undefined, call)).rejects.toThrow("no");
  });
});
