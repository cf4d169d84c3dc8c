import { ManualClock } from "@redis-batch/test-support";
import { Cluster, Command } from "ioredis";
import { Cluster as ClusterV5 } from "ioredis-v5";
import { describe, expect, onTestFinished, test } from "vitest";
import { ClusterCalls } from "./cluster-calls.ts";

const NOT_SENT = { code: "CONNECTION", outcome: "not-sent" };

describe.each([
  ["ioredis 6", Cluster],
  ["ioredis 5", ClusterV5],
] as const)("calls of a Cluster of %s", (_, ClusterClass) => {
  /** Without a node everything waits in its queue, until it ends. */
  const begin = ({ retryInMs }: { readonly retryInMs: number | null }) => {
    const cluster = new ClusterClass([], { lazyConnect: true, clusterRetryStrategy: () => retryInMs });
    onTestFinished(() => cluster.disconnect());
    const calls = new ClusterCalls(cluster);
    const call = calls.call("xlen", ["stream"], "xlen");
    call.catch(() => {});
    return { calls, call };
  };

  test("that are abandoned reject, and say that they were not sent", async () => {
    const { calls, call } = begin({ retryInMs: 1_000_000 });
    calls.abandon();
    await expect(call).rejects.toMatchObject(NOT_SENT);
  });

  test("reject after a while when nothing else settles them", async () => {
    const { calls, call } = begin({ retryInMs: 1_000_000 });
    const clock = new ManualClock();
    calls.abandonAfter(2_500, clock);
    await clock.advance(2_499);
    expect(clock.pending).toBe(1);
    await clock.advance(1);
    await expect(call).rejects.toMatchObject(NOT_SENT);
  });

  test("leave no timer once they have settled", async () => {
    const { calls, call } = begin({ retryInMs: null });
    const clock = new ManualClock();
    calls.abandonAfter(2_500, clock);
    expect(clock.pending).toBe(1);
    await expect(call).rejects.toMatchObject(NOT_SENT);
    expect(clock.pending).toBe(0);
  });

  test("are in doubt where ioredis does not show what it writes", async () => {
    const cluster = new ClusterClass([], { lazyConnect: true, clusterRetryStrategy: () => 1_000_000 }) as Cluster;
    onTestFinished(() => cluster.disconnect());
    const send = cluster.sendCommand.bind(cluster);
    Reflect.set(cluster, "callBuffer", (name: string) => send(new Command(name)));
    const calls = new ClusterCalls(cluster);
    const call = calls.call("xlen", ["stream"], "xlen");
    calls.abandon();
    await expect(call).rejects.toMatchObject({ code: "CONNECTION", outcome: "unknown" });
  });
});
