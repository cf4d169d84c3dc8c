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
  { e: "settled", t: 40, acknowledged: ["1-1"], deadLettered: [], lost: ["1-2"] },
  { e: "tick", t: 90 },
];

test("an offer has its work, and the answer to it", () => {
  const { offers, life } = reconstruct("w", lines, true, []);
  expect(offers).toEqual([
    { key: "k1", id: "1-1", worker: "w", atMs: 10, deliveries: 1, worked: { how: "done", atMs: 20 }, settledAtMs: 40 },
    {
      key: "k2",
      id: "1-2",
      worker: "w",
      atMs: 10,
      deliveries: 2,
      worked: { how: "rejected", atMs: 30 },
      settledAtMs: undefined,
    },
  ]);
  expect(life).toEqual({ worker: "w", endedAtMs: 90, standstills: [] });
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
    standstills: [{ fromMs: 90, toMs: 1_000, why: "stood still" }],
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
    { e: "settled", t: 40, acknowledged: [], deadLettered: [], lost: ["1-2"] },
  ]);
});
