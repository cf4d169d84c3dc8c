import { expect, test } from "vitest";
import { type WorkerView, windowsOf } from "./worker-view.ts";

const worker: WorkerView = {
  ...{ worker: "w0.1", name: "w0.1", stream: "", isOld: false, fromMs: 0, toMs: undefined, end: undefined },
  ...{ places: 2, calls: [], cutOff: [], excused: [], intakeHeld: [], owned: undefined },
};
const call = (fromMs: number, toMs: number | undefined, isSuspect = false): WorkerView["calls"][number] => ({
  ...{ fromMs, toMs, isSuspect },
});

test("a worker without work has a place free all its life", () => {
  expect(windowsOf({ ...worker, toMs: 700 }, 1_000).free).toEqual([{ fromMs: 0, toMs: 700 }]);
  expect(windowsOf(worker, 1_000).free).toEqual([{ fromMs: 0, toMs: 1_000 }]);
});

test("it has none while all of its places are taken, and a batch that never ends keeps its place", () => {
  const calls = [call(100, 900), call(200, 400), call(600, undefined)];
  const { free, nearlyFree, busy } = windowsOf({ ...worker, calls }, 1_000);
  expect(busy).toEqual([
    { fromMs: 200, toMs: 400 },
    { fromMs: 600, toMs: 900 },
  ]);
  expect(free).toEqual([
    { fromMs: 0, toMs: 200 },
    { fromMs: 400, toMs: 600 },
    { fromMs: 900, toMs: 1_000 },
  ]);
  expect(nearlyFree).toEqual(free);
});

test("one that hangs in all of its places has none for ever", () => {
  const calls = [call(100, undefined), call(300, undefined)];
  expect(windowsOf({ ...worker, calls }, 1_000).nearlyFree).toEqual([{ fromMs: 0, toMs: 300 }]);
});

test("moments without a place are passed over, but not what is an excuse", () => {
  const calls = [call(100, 120), call(100, 120), call(500, 700), call(500, 700)];
  const excused = [{ fromMs: 300, toMs: 310 }];
  expect(windowsOf({ ...worker, calls, excused }, 1_000).nearlyFree).toEqual([
    { fromMs: 0, toMs: 300 },
    { fromMs: 310, toMs: 500 },
    { fromMs: 700, toMs: 1_000 },
  ]);
});

test("while one that is kept apart is at work, others of its kind wait", () => {
  const calls = [call(200, 400, true)];
  const { free, withoutSuspect } = windowsOf({ ...worker, calls }, 1_000);
  expect(free).toEqual([{ fromMs: 0, toMs: 1_000 }]);
  expect(withoutSuspect).toEqual([
    { fromMs: 0, toMs: 200 },
    { fromMs: 400, toMs: 1_000 },
  ]);
});

test("while it reads nothing new it may still take what waits for it already", () => {
  const intakeHeld = [{ fromMs: 200, toMs: 700 }];
  const { free, nearlyFree } = windowsOf({ ...worker, intakeHeld }, 1_000);
  expect(free).toEqual([
    { fromMs: 0, toMs: 200 },
    { fromMs: 700, toMs: 1_000 },
  ]);
  expect(nearlyFree).toEqual([{ fromMs: 0, toMs: 1_000 }]);
});

test("of a partition it can take something only while it owns it", () => {
  const owned = [
    { fromMs: 100, toMs: 300 },
    { fromMs: 600, toMs: 2_000 },
  ];
  const excused = [{ fromMs: 650, toMs: 700 }];
  const { free } = windowsOf({ ...worker, owned, excused }, 1_000);
  expect(free).toEqual([
    { fromMs: 100, toMs: 300 },
    { fromMs: 600, toMs: 650 },
    { fromMs: 700, toMs: 1_000 },
  ]);
  expect(windowsOf({ ...worker, owned: [] }, 1_000).free).toEqual([]);
});
