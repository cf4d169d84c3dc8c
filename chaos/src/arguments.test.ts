import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { resolveRound } from "./arguments.ts";
import { FAULT_KINDS } from "./plan.ts";

test("without arguments a round has every fault and a seed by chance", () => {
  expect(resolveRound({}, () => 0.5)).toMatchObject({ minutes: 0, seed: 500_000, kinds: FAULT_KINDS.standalone });
});

test("arguments say how much, how long, and which faults", () => {
  const args = { minutes: "1.5", seed: "7", messages: "100", producers: "1", workers: "2", faults: "trim,workerKill" };
  expect(resolveRound(args)).toMatchObject({ minutes: 1.5, seed: 7, messages: 100, producers: 1, workers: 2 });
  expect(resolveRound(args)).toMatchObject({ kinds: ["trim", "workerKill"] });
  expect(resolveRound({ faults: "" })).toMatchObject({ kinds: [] });
});

test("a soak is one round as long as the minutes, as fast as ever, with a worker that lives through it", () => {
  expect(resolveRound({ soak: true, minutes: "10" })).toMatchObject({
    minutes: 0,
    loadMs: 600_000,
    messages: 480_000,
    everyMs: 2_500,
    lasting: 1,
  });
  expect(resolveRound({ soak: true, minutes: "0.5", messages: "7" })).toMatchObject({ loadMs: 30_000, messages: 7 });
  expect(resolveRound({ minutes: "10" })).toMatchObject({ minutes: 10, loadMs: 25_000, lasting: 0 });
});

test("a topology has its own faults, and replicas to wait for where it has replicas", () => {
  const args = { topology: "cluster", "wait-for-replicas": true, faults: "slotMove,workerKill" };
  expect(resolveRound(args)).toMatchObject({
    topology: "cluster",
    waitForReplicas: true,
    kinds: ["slotMove", "workerKill"],
  });
  expect(resolveRound({ topology: "sentinel" })).toMatchObject({ waitForReplicas: false, kinds: FAULT_KINDS.sentinel });
  expect(resolveRound({})).toMatchObject({ topology: "standalone", waitForReplicas: false });
});

test("with an order there is one worker, and with several streams each worker reads all of them", () => {
  expect(resolveRound({ "order-by": true })).toMatchObject({ isOrdered: true, workers: 1, streams: 1 });
  expect(resolveRound({ streams: "3" })).toMatchObject({ isOrdered: false, workers: 4, streams: 3 });
  for (const topology of ["standalone", "sentinel", "cluster"]) {
    expect(resolveRound({ "order-by": true, streams: "3", topology })).toMatchObject({
      isOrdered: true,
      streams: 3,
      topology,
    });
  }
});

test("an earlier version's scripts are those of its checkout", () => {
  const checkout = fileURLToPath(new URL("../..", import.meta.url));
  const { oldSource } = resolveRound({ old: checkout }) as { readonly oldSource: URL };
  expect(oldSource.href).toBe(new URL("./", import.meta.url).href);
  expect(resolveRound({ old: "/nowhere" })).toBe(
    "--old must be a checkout of this repository; there is no chaos/src/worker-process.ts in /nowhere",
  );
});

test("the journals are kept where a folder is named", () => {
  expect(resolveRound({})).toMatchObject({ keep: undefined });
  expect(resolveRound({ keep: "journals" })).toMatchObject({ keep: "journals" });
});

test("what is wrong is named", () => {
  expect(resolveRound({ every: "0" })).toBe("--every must be a number, above 0");
  expect(resolveRound({ seed: "x" })).toBe("--seed must be a whole number, at least 0");
  expect(resolveRound({ streams: "0" })).toBe("--streams must be a whole number, at least 1");
  expect(resolveRound({ "order-by": true, workers: "2" })).toBe(
    "--order-by needs --workers 1: nobody promises an order among several",
  );
  expect(resolveRound({ workers: "0" })).toBe("--workers must be a whole number, at least 1");
  expect(resolveRound({ minutes: "-1" })).toBe("--minutes must be a number, at least 0");
  expect(resolveRound({ soak: true })).toBe("--soak needs --minutes, above 0");
  expect(resolveRound({ topology: "ring" })).toBe("--topology must be one of standalone, sentinel, cluster");
  expect(resolveRound({ topology: "sentinel", faults: "slotMove" })).toBe(
    "unknown fault slotMove (--topology sentinel)",
  );
  expect(resolveRound({ "wait-for-replicas": true })).toBe("--wait-for-replicas needs --topology sentinel or cluster");
  expect(resolveRound({ faults: "trim,earthquake" })).toBe("unknown fault earthquake (--topology standalone)");
});
