import { setImmediate as nextTurn } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import { makeChunk, makeMessage } from "../test/make-messages.ts";
import { HeldMessages } from "./scheduling/held-messages.ts";
import { Signal } from "./signals.ts";

type Value = Readonly<Record<string, string>>;

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

test("a message that is kept keeps no other message of its read, once they are over", async () => {
  const held = new HeldMessages<Value>(new Signal());
  const readAndAcknowledge = () => {
    const chunk = makeChunk(["1-1", "1-2", "1-3"]);
    held.admitRead(chunk);
    held.lineUpRead(chunk);
    const mix = { due: [], fresh: 3, full: 3 };
    const { messages } = held.offer(mix, 1_000, false, { mode: "loop", atMs: 0 });
    for (const message of messages) held.beginAck(message);
    for (const message of messages) held.endAck(message, false);
    const [kept, ...others] = messages;
    return { kept, others: others.flatMap((other) => [new WeakRef(other), new WeakRef(other.entry)]) };
  };
  const { kept, others } = readAndAcknowledge();
  // What a WeakRef was made of lives at least until the end of the turn.
  await nextTurn();
  collectGarbage();
  expect(others.map((other) => other.deref())).toEqual(others.map(() => undefined));
  expect([kept?.id, kept?.state, kept?.bytes]).toEqual(["1-1", "acknowledged", 2]);
});

test("an object that was let go of is made again, and both know what happens to the message", () => {
  const chunk = makeChunk(["1-1", "1-2"]);
  const before = chunk.messageAt(1);
  expect(chunk.messageAt(1)).toBe(before);
  chunk.letGoOfObject(before);
  const after = chunk.messageAt(1);
  expect(after).not.toBe(before);
  after.state = "acking";
  after.isDoubtful = true;
  expect([before.state, before.isDoubtful, before.id]).toEqual(["acking", true, "1-2"]);
  expect([chunk.stateAt(0), chunk.isDoubtful(0)]).toEqual(["buffered", false]);
});

test("JSON of a message says which one it is, without its payload", () => {
  const message = makeMessage("1-1", { deliveries: 2, bytes: 7 });
  expect(JSON.parse(JSON.stringify({ message }))).toEqual({
    message: { stream: "orders", id: "1-1", deliveries: 2, bytes: 7 },
  });
});
