import { expect, test } from "vitest";
import type { WorkerLine } from "./journal.ts";
import { describeUnrest, type Unrest, type WorkerAtUnrest } from "./unrest.ts";

const NOTHING: Unrest = { total: 0, messages: [], workers: [], consumers: [], leases: [], monitors: [] };
const note = (t: number, event: Readonly<Record<string, unknown>>): WorkerLine => ({
  e: "note",
  t,
  text: JSON.stringify(event),
});
const worker = (lines: readonly WorkerLine[], state: WorkerAtUnrest["state"] = "running"): WorkerAtUnrest => ({
  ...{ worker: "w0.2", name: "w0.1", state, lines },
});
const textOf = (unrest: Partial<Unrest>, nowMs = 1_000): string =>
  describeUnrest({ ...NOTHING, ...unrest }, nowMs).join("\n");

test("a message is shown with its intent, its owner, and what was last done with it", () => {
  const pending = { consumer: "w0.1", idleMs: 70, deliveries: 3 };
  const fails = (t: number): WorkerLine => ({ e: "fails", t, key: "p1-7", intent: "poison" });
  const text = textOf({
    total: 12,
    messages: [{ id: "5-1", key: "p1-7", intent: "poison", pending }],
    workers: [{ ...worker([fails(100), fails(200)], "replaced"), worker: "w0.1" }, worker([fails(300), fails(400)])],
  });
  expect(text).toContain("12 in flight, the first 1 of them");
  expect(text).toContain("p1-7 (5-1), poison: pending for w0.1, delivery 3, idle for 70 ms");
  expect(text.match(/\d+ ms ago \{"e":"fails"/g)).toEqual([
    '800 ms ago {"e":"fails"',
    '700 ms ago {"e":"fails"',
    '600 ms ago {"e":"fails"',
  ]);
});

test("one that nobody was given, and one that is gone from the stream, say so", () => {
  const messages = [
    { id: "5-1", key: "p1-7", intent: "ack", pending: undefined },
    { id: "5-2", key: "", intent: "", pending: { consumer: "w1", idleMs: 1, deliveries: 1 } },
  ];
  const text = textOf({ total: 2, messages });
  expect(text).toContain("p1-7 (5-1), ack: never delivered");
  expect(text).toContain("5-2 (gone from the stream): pending for w1");
});

test("a breaker is open since the first time that it backed off without a success after it", () => {
  const opened = [
    note(100, { type: "backingOff", attempt: 1 }),
    note(200, { type: "resumed", attempts: 1 }),
    note(300, { type: "backingOff", attempt: 1 }),
    note(900, { type: "backingOff", attempt: 2 }),
  ];
  expect(textOf({ workers: [worker(opened)] })).toContain("breaker open for 700 ms, attempt 2 100 ms ago");
  expect(textOf({ workers: [worker(opened.slice(0, 2))] })).toContain("breaker closed");
  expect(textOf({ workers: [worker([])] })).toContain("breaker closed");
});

test("the last lines of a worker are shown, unless another has its place", () => {
  const lines = [1, 2, 3, 4].map((t) => note(t, { type: "orphansReleased", from: `w${t}`, messages: 1 }));
  expect(textOf({ workers: [worker(lines)] }).match(/from\\":\\"w\d/g)).toHaveLength(3);
  expect(textOf({ workers: [worker(lines, "ended")] })).toContain("w0.2 as w0.1: ended; last line 996 ms ago");
  expect(textOf({ workers: [worker(lines, "replaced")] })).toBe("0 in flight:");
});

test("who is registered, who leads, and what the monitors did", () => {
  const consumers = [
    { name: "w0.1", pending: 2, silentMs: 90 },
    { name: "old", pending: 0, silentMs: undefined },
  ];
  const text = textOf({
    consumers,
    leases: [{ key: "rb:lease", holder: "w0.1" }],
    monitors: ['{"type":"leading"}', ""],
  });
  expect(text).toContain("consumer w0.1: 2 pending, last heartbeat 90 ms ago");
  expect(text).toContain("consumer old: 0 pending, not registered");
  expect(text).toContain("rb:lease is held by w0.1");
  expect(text).toContain('monitor 0, last line: {"type":"leading"}');
  expect(text).toContain("monitor 1, last line: none");
});
