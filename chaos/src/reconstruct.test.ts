import { expect, test } from "vitest";
import type { WorkerLine } from "./journal.ts";
import { linesAbout, reconstruct } from "./reconstruct.ts";

const lines: WorkerLine[] = [
  { e: "started", t: 0, name: "w" },
  {
    e: "offered",
    t: 10,
    messages: [
      ["k1", "1-1", 1],
      ["k2", "1-2", 2],
    ],
  },
  { e: "done", t: 20, key: "k1" },
  { e: "rejected", t: 30, key: "k2" },
  { e: "settled", t: 40, acknowledged: ["1-1"], deadLettered: [], tooLate: ["1-2"] },
  { e: "tick", t: 90 },
];

test("an offer has its work, and the answer to it", () => {
  const { offers, life } = reconstruct("w", lines, true, []);
  const nothing = { settledAtMs: undefined, refusedAtMs: undefined, endedAtMs: undefined, deferred: undefined };
  const shared = { ...nothing, worker: "w", atMs: 10 };
  expect(offers).toEqual([
    { ...shared, key: "k1", id: "1-1", deliveries: 1, worked: { how: "done", atMs: 20 }, settledAtMs: 40 },
    { ...shared, key: "k2", id: "1-2", deliveries: 2, worked: { how: "rejected", atMs: 30 }, refusedAtMs: 40 },
  ]);
  expect(life).toEqual({ worker: "w", endedAtMs: 90, standstills: [], closingAtMs: undefined });
});

test("a batch's end is that of all its messages, and a delay that was asked for is the message's own", () => {
  const batch: WorkerLine[] = [
    {
      ...{ e: "offered", t: 10, call: 1 },
      messages: [
        ["k1", "1-1", 1],
        ["k2", "1-2", 1],
      ],
    },
    { e: "offered", t: 15, call: 2, messages: [["k3", "1-3", 1]] },
    { e: "fails", t: 20, key: "k2", intent: "deferredLong", delayMs: 7_000 },
    { e: "ended", t: 30, call: 1, threw: false },
  ];
  const { offers } = reconstruct("w", batch, false, []);
  expect(offers.map(({ key, endedAtMs, deferred }) => [key, endedAtMs, deferred])).toEqual([
    ["k1", 30, undefined],
    ["k2", 30, { atMs: 20, delayMs: 7_000 }],
    ["k3", undefined, undefined],
  ]);
});

test("a message that is offered again while a handler still has it has the work of each batch", () => {
  const twice: WorkerLine[] = [
    { e: "offered", t: 10, call: 1, messages: [["k1", "1-1", 1]] },
    { e: "offered", t: 20, call: 2, messages: [["k1", "1-1", 2]] },
    { e: "done", t: 21, call: 2, key: "k1" },
    { e: "ended", t: 22, call: 2, threw: false },
    { e: "settled", t: 23, call: 2, acknowledged: ["1-1"], deadLettered: [], tooLate: [] },
    { e: "done", t: 30, call: 1, key: "k1" },
    { e: "ended", t: 31, call: 1, threw: false },
    { e: "settled", t: 32, call: 1, acknowledged: [], deadLettered: [], tooLate: ["1-1"] },
  ];
  expect(reconstruct("w", twice, false, []).offers).toMatchObject([
    { atMs: 10, worked: { atMs: 30 }, settledAtMs: undefined, refusedAtMs: 32, endedAtMs: 31 },
    { atMs: 20, worked: { atMs: 21 }, settledAtMs: 23, refusedAtMs: undefined, endedAtMs: 22 },
  ]);
});

test("a message offered again is another offer", () => {
  const again: WorkerLine[] = [
    ...lines,
    { e: "offered", t: 95, messages: [["k2", "1-2", 3]] },
    { e: "done", t: 99, key: "k2" },
  ];
  expect(reconstruct("w", again, false, []).offers.map(({ worked }) => worked?.atMs)).toEqual([20, 30, 99]);
});

test("a gap between two lines is a standstill", () => {
  const slept: WorkerLine[] = [...lines, { e: "tick", t: 1_000 }];
  expect(reconstruct("w", slept, false, []).life).toEqual({
    worker: "w",
    endedAtMs: undefined,
    standstills: [{ fromMs: 90, toMs: 1_000, why: "frozen" }],
    closingAtMs: undefined,
  });
});

test("so is the time without the connection for commands, up to the end if need be", () => {
  const away: WorkerLine[] = [
    { e: "away", t: 10, role: "commands" },
    { e: "away", t: 20, role: "reader" },
    { e: "back", t: 60, role: "commands" },
    { e: "away", t: 80, role: "commands" },
    { e: "tick", t: 99 },
  ];
  expect(reconstruct("w", away, true, []).life.standstills).toEqual([
    { fromMs: 10, toMs: 60, why: "disconnected" },
    { fromMs: 80, toMs: 99, why: "disconnected" },
  ]);
});

test("a message's history has its own lines only", () => {
  expect(linesAbout(lines, "k2", "1-2")).toEqual([
    { e: "offered", t: 10, messages: [["k2", "1-2", 2]] },
    { e: "rejected", t: 30, key: "k2" },
    { e: "settled", t: 40, acknowledged: [], deadLettered: [], tooLate: ["1-2"] },
  ]);
});
