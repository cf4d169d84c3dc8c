import { expect, test } from "vitest";
import { judgeOwners } from "./owners.ts";
import type { WorkerView } from "./worker-view.ts";

const policy = { leaseMs: 1_500, heartbeatMs: 125 };
const round = { fromMs: 0, toMs: 60_000 };
const view = (worker: string, owned: readonly (readonly [number, number])[], more: Partial<WorkerView> = {}) => ({
  ...{ worker, name: worker, stream: "a", isOld: false, fromMs: 0, toMs: undefined, end: undefined, places: 2 },
  ...{ calls: [], cutOff: [], excused: [], intakeHeld: [] },
  owned: owned.map(([fromMs, toMs]) => ({ fromMs, toMs })),
  ...more,
});

test("a partition that always has an owner, or soon another one, is in order", () => {
  const views = [view("w0", [[500, 20_000]]), view("w1", [[23_000, 60_000]])];
  expect(judgeOwners(views, policy, [], round)).toEqual([]);
});

test("one that nobody takes for too long is reported, with the worker that could have", () => {
  const views = [view("w0", [[0, 20_000]], { toMs: 20_000 }), view("w1", [[30_000, 60_000]])];
  expect(judgeOwners(views, policy, [], round)).toEqual([
    { stream: "a", worker: "w1", fromMs: 20_000, waitedMs: 10_000, allowedMs: 5_375 },
  ]);
  const never = judgeOwners([view("w0", [])], policy, [], round);
  expect(never).toMatchObject([{ worker: "w0", waitedMs: 60_000 }]);
});

test("no one is asked to take it while it is away, or while the machine is frozen", () => {
  const dead = view("w0", [[0, 20_000]], { toMs: 20_000 });
  const heir = view("w1", [[30_000, 60_000]]);
  const away = [{ fromMs: 20_000, toMs: 26_000 }];
  expect(judgeOwners([dead, { ...heir, excused: away }], policy, [], round)).toEqual([]);
  expect(judgeOwners([dead, heir], policy, away, round)).toEqual([]);
  expect(judgeOwners([dead, { ...heir, isOld: true }], policy, [], round)).toEqual([]);
});
