import { expect, test } from "vitest";
import type { WorkerLine } from "../journal.ts";
import { type JournalFacts, viewOf } from "./journal-view.ts";
import type { WorkerView } from "./worker-view.ts";

/** A journal with a tick every 50 ms but in the gaps, and these lines in between. */
function journal(toMs: number, lines: readonly WorkerLine[], gaps: readonly (readonly [number, number])[] = []) {
  const ticks = Array.from({ length: toMs / 50 + 1 }, (_, index): WorkerLine => ({ e: "tick", t: index * 50 }));
  return [...ticks, { e: "places", t: 0, places: 2 } as const, told(0, { type: "started" }), ...lines]
    .filter(({ t }) => gaps.every(([fromGapMs, toGapMs]) => t <= fromGapMs || t >= toGapMs))
    .toSorted((a, b) => a.t - b.t);
}
const told = (t: number, event: Readonly<Record<string, unknown>>): WorkerLine => ({
  ...{ e: "note", t, text: JSON.stringify(event) },
});
function view(lines: readonly WorkerLine[], facts: Partial<JournalFacts> = {}): WorkerView {
  const options = { maxDeliveries: 8, maxWaitMs: 250, maxHoldMs: 4_000 };
  return viewOf({
    ...{
      worker: "w0.1",
      name: "w0.1",
      stream: "",
      isPartition: false,
      isOld: false,
      lines,
      hasEnded: false,
      away: [],
      slowed: [],
      hung: new Set<string>(),
    },
    ...options,
    ...facts,
  });
}

test("batches are the calls of the handler, with those that never end, and one kept apart", () => {
  const message = (deliveries: number): readonly [string, string, number] => ["k", "1-1", deliveries];
  const lines = journal(1_000, [
    { e: "offered", t: 110, call: 1, messages: [message(1), message(5)] },
    { e: "offered", t: 210, call: 2, messages: [message(5)] },
    { e: "ended", t: 310, call: 1, threw: true },
  ]);
  expect(view(lines)).toMatchObject({
    places: 2,
    calls: [
      { fromMs: 110, toMs: 310, isSuspect: false },
      { fromMs: 210, toMs: undefined, isSuspect: true },
    ],
  });
});

test("one on which a handler hung before is kept apart as well", () => {
  const lines = journal(1_000, [
    { e: "offered", t: 110, call: 1, messages: [["k", "1-1", 1]] },
    { e: "offered", t: 210, call: 2, messages: [["k", "1-1", 2]] },
  ]);
  const kept = (hung: readonly string[]) => view(lines, { hung: new Set(hung) }).calls.map((call) => call.isSuspect);
  expect(kept(["1-1"])).toEqual([false, true]);
  expect(kept(["1-2"])).toEqual([false, false]);
});

test("frozen, or away from the server, it is cut off and excused", () => {
  const away: WorkerLine[] = [
    { e: "away", t: 700, role: "reader" },
    { e: "back", t: 900, role: "reader" },
  ];
  const both = [
    { fromMs: 300, toMs: 600 },
    { fromMs: 700, toMs: 900 },
  ];
  expect(view(journal(1_000, away, [[300, 600]]))).toMatchObject({ cutOff: both, excused: both });
  const server = [{ fromMs: 100, toMs: 200 }];
  expect(view(journal(1_000, []), { away: server })).toMatchObject({ cutOff: server, excused: server });
  expect(view(journal(1_000, []), { slowed: server })).toMatchObject({ cutOff: [], excused: server });
});

test("what is not connected a while after the last fault is excused no longer", () => {
  const lines = journal(40_000, [{ e: "away", t: 5_000, role: "commands" }]);
  expect(view(lines).excused).toEqual([{ fromMs: 5_000, toMs: 15_000 }]);
  expect(view(lines).cutOff).toEqual([{ fromMs: 5_000, toMs: 40_000 }]);
  expect(view(lines, { away: [{ fromMs: 12_000, toMs: 18_000 }] }).excused).toEqual([{ fromMs: 5_000, toMs: 28_000 }]);
});

test("it is excused until it has started, but not for ever", () => {
  const lines = journal(20_000, []).filter(({ e }) => e !== "note");
  expect(view([...lines, told(20_000, { type: "started" })]).excused).toEqual([{ fromMs: 0, toMs: 10_000 }]);
  expect(view([...lines.slice(0, 20), told(975, { type: "started" })]).excused).toEqual([{ fromMs: 0, toMs: 975 }]);
});

test("an open breaker excuses it until the next attempt should have been made", () => {
  const backingOff = told(1_000, { type: "backingOff", attempt: 1, retryInMs: 400 });
  expect(view(journal(9_000, [backingOff])).excused).toEqual([{ fromMs: 1_000, toMs: 2_650 }]);
  const resumed = told(1_600, { type: "resumed", attempts: 1 });
  expect(view(journal(9_000, [backingOff, resumed])).excused).toEqual([{ fromMs: 1_000, toMs: 1_600 }]);
});

test("an attempt under way goes on excusing it, until it has been held too long", () => {
  const backingOff = told(1_000, { type: "backingOff", attempt: 1, retryInMs: 400 });
  const attempt: WorkerLine = { e: "offered", t: 1_500, call: 1, messages: [["k", "1-1", 1]] };
  expect(view(journal(9_000, [backingOff, attempt])).excused).toEqual([{ fromMs: 1_000, toMs: 6_500 }]);
});

test("unfit, it is excused as long as its batches fail", () => {
  const failed = (t: number, call: number): WorkerLine => ({ e: "ended", t, call, threw: true });
  const lines = [failed(900, 1), told(1_000, { type: "unfit" }), failed(2_000, 2)];
  expect(view(journal(30_000, lines)).excused).toEqual([{ fromMs: 1_000, toMs: 12_000 }]);
  expect(view(journal(30_000, [...lines, told(3_000, { type: "fit" })])).excused).toEqual([
    { fromMs: 1_000, toMs: 3_000 },
  ]);
});

test("one that drained has closed, any other that ended has died", () => {
  const closing: WorkerLine[] = [
    { e: "closing", t: 400 },
    { e: "closed", t: 950 },
  ];
  expect(view(journal(1_000, closing), { hasEnded: true })).toMatchObject({
    ...{ end: "closed", toMs: 1_000, excused: [{ fromMs: 400, toMs: 1_000 }] },
  });
  expect(view(journal(1_000, []), { hasEnded: true })).toMatchObject({ end: "died", toMs: 1_000 });
  expect(view(journal(1_000, []))).toMatchObject({ end: undefined, toMs: undefined });
});

test("of several streams each rests by itself, and until it is tried again", () => {
  const lines = journal(30_000, [
    told(1_010, { type: "streamFailed", stream: "s", retryInMs: 2_000 }),
    told(1_020, { type: "backingOff", stream: "t", attempt: 1, retryInMs: 500 }),
    told(5_010, { type: "streamResumed", stream: "s" }),
    { e: "offered", t: 210, call: 1, messages: [["k", "t/1-1", 5]] },
  ]);
  const [s, t] = [view(lines, { stream: "s" }), view(lines, { stream: "t" })];
  expect(s.excused).toEqual([{ fromMs: 1_010, toMs: 5_010 }]);
  expect(t.excused).toEqual([{ fromMs: 1_020, toMs: 1_020 + 500 + 250 + 1_000 }]);
  // A message that is kept apart keeps up only those of its stream, but a place is a place.
  expect([s.calls, t.calls]).toMatchObject([[{ isSuspect: false }], [{ isSuspect: true }]]);
  const still = journal(
    30_000,
    lines.filter((line) => line.e === "note" && !line.text.includes("Resumed")),
  );
  expect(view(still, { stream: "s" }).excused).toEqual([{ fromMs: 1_010, toMs: 13_010 }]);
});

test("while a key holds up all others nothing new is read, but not for ever", () => {
  const held = (by: string) => view(journal(30_000, [told(1_010, { type: "intakeHeld", by })])).intakeHeld;
  expect(held("key-blocked")).toEqual([{ fromMs: 1_010, toMs: 13_010 }]);
  expect(held("unfit")).toEqual([]);
  const opened = [told(1_010, { type: "intakeHeld", by: "key-blocked" }), told(2_010, { type: "intakeOpened" })];
  expect(view(journal(30_000, opened)).intakeHeld).toEqual([{ fromMs: 1_010, toMs: 2_010 }]);
});

test("a partition is its own from the moment it takes it until it has given it up, lost it, or is gone", () => {
  const lines = journal(1_000, [
    told(110, { type: "partitionTaken", stream: "a" }),
    told(130, { type: "started", stream: "a" }),
    told(160, { type: "partitionTaken", stream: "b" }),
    told(310, { type: "partitionGivenUp", stream: "a" }),
    told(510, { type: "partitionTaken", stream: "a" }),
    told(610, { type: "partitionLost", stream: "a" }),
    told(710, { type: "partitionTaken", stream: "a" }),
  ]);
  const { owned, excused } = view(lines, { stream: "a", isPartition: true });
  expect(owned).toEqual([
    { fromMs: 110, toMs: 310 },
    { fromMs: 510, toMs: 610 },
    { fromMs: 710, toMs: 1_000 },
  ]);
  // Each time until it says that it has started.
  expect(excused).toEqual([
    { fromMs: 110, toMs: 130 },
    { fromMs: 510, toMs: 1_000 },
  ]);
  expect(view(lines).owned).toBeUndefined();
});

test("that the sink fails in one partition holds for all of a worker's, and not for several streams", () => {
  const lines = journal(1_000, [
    told(110, { type: "backingOff", stream: "b", retryInMs: 100 }),
    told(710, { type: "resumed", stream: "b" }),
  ]);
  const excuse = { fromMs: 110, toMs: 710 };
  expect(view(lines, { stream: "a", isPartition: true }).excused).toEqual([excuse]);
  expect(view(lines, { stream: "a" }).excused).toEqual([]);
});
