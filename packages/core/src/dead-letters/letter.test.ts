import { describe, expect, test } from "vitest";
import { type DeadLetter, readLetter } from "./letter.ts";

const HISTORY = [
  ...["dead.id", "1700000000000-3", "dead.consumer", "host-1-a", "dead.deliveries", "16"],
  ...["dead.reason", "maxDeliveries", "dead.error", "Error: no such order: 日本", "dead.at", "1700000001234"],
];
const bytes = (texts: readonly string[]): Buffer[] => texts.map((text) => Buffer.from(text));
const read = (texts: readonly string[]) => readLetter({ id: "9-0", fields: bytes(texts) });

test("a letter says where its message came from, and what happened to it", () => {
  const letter = read(["order", "A-17", ...HISTORY]) as DeadLetter;
  expect(letter).toMatchObject({
    ...{ id: "9-0", entryId: "1700000000000-3", consumer: "host-1-a", deliveries: 16, reason: "maxDeliveries" },
    ...{ error: "Error: no such order: 日本", at: new Date(1_700_000_001_234) },
  });
  expect(letter.fields).toEqual({ order: "A-17" });
});

test("the last of several fields with one name counts, and all of them are entries", () => {
  const letter = read(["a", "1", "a", "2", ...HISTORY]) as DeadLetter;
  expect(letter.fields["a"]).toBe("2");
  expect(letter.fields).toBe(letter.fields);
  expect([...letter.entries()].map(String)).toEqual(["a,1", "a,2"]);
});

test("no field reaches a built-in property", () => {
  const letter = read(["__proto__", "x", "constructor", "y", ...HISTORY]) as DeadLetter;
  expect(Object.getPrototypeOf(letter.fields)).toBeNull();
  expect(Object.entries(letter.fields)).toEqual([
    ["__proto__", "x"],
    ["constructor", "y"],
  ]);
});

test("the payload is not in its JSON, so a log of letters is no log of payloads", () => {
  const letter = read(["card", "4111-1111", ...HISTORY]) as DeadLetter;
  expect(letter.fields["card"]).toBe("4111-1111");
  expect(JSON.stringify(letter)).not.toContain("4111");
});

test("the context of its trace is not among the fields, and not in its JSON", () => {
  const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  const letter = read(["order", "A-17", "rb:traceparent", traceparent, ...HISTORY]) as DeadLetter;
  expect(letter.traceContext).toEqual({ traceparent, tracestate: undefined });
  expect(letter.fields).toEqual({ order: "A-17" });
  expect([...letter.entries()].map(String)).toEqual(["order,A-17"]);
  expect(JSON.stringify(letter)).not.toContain("0af765");
});

describe("an entry that the script did not write is not a dead letter", () => {
  const replaced = (name: string, value: string): string[] =>
    HISTORY.map((text, index) => (HISTORY[index - 1] === name ? value : text));

  test.each([
    ["no fields", []],
    ["a message without a history", ["a", "1"]],
    ["a history without a message", HISTORY],
    ["a history in another order", ["a", "1", ...HISTORY.slice(2), ...HISTORY.slice(0, 2)]],
    ["a history with something behind it", ["a", "1", ...HISTORY, "b", "2"]],
    ["no id", ["a", "1", ...replaced("dead.id", "yesterday")]],
    ["no number of deliveries", ["a", "1", ...replaced("dead.deliveries", "many")]],
    ["no time", ["a", "1", ...replaced("dead.at", "")]],
    ["a time that no date has", ["a", "1", ...replaced("dead.at", "9999999999999999999")]],
  ])("%s", (_, fields) => {
    expect(read(fields)).toBeUndefined();
  });
});
