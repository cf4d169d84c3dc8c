import { runInNewContext } from "node:vm";
import { ODD_VALUES, thenable } from "@redis-batch/test-support";
import { expect, test } from "vitest";
import { RedisBatchError } from "./errors.ts";
import { asError, describeThrown, isError, isThenable, messageOf, placeOf } from "./thrown.ts";

test.each(ODD_VALUES)("%s has words, of a bounded length", (_what, value) => {
  for (const words of [messageOf(value), describeThrown(value)]) {
    expect(typeof words).toBe("string");
    expect(words.length).toBeLessThan(10_000);
  }
  expect(asError(value)).toBeDefined();
  expect(typeof isError(value)).toBe("boolean");
  expect(isThenable(value)).toBe(false);
  expect(RedisBatchError.is(value)).toBe(false);
});

test("the words are those of the error", () => {
  expect(messageOf(new TypeError("no"))).toBe("no");
  expect(describeThrown(new TypeError("no"))).toBe("TypeError: no");
  expect(describeThrown(runInNewContext("new TypeError('elsewhere')"))).toBe("TypeError: elsewhere");
  expect(describeThrown(new Error(""))).toBe("Error");
  expect(describeThrown("just a text")).toBe("just a text");
  expect(messageOf(Object.create(null))).toBe("a value that cannot be written as text");
});

test("several errors in one have the words of the first", () => {
  const refused = new AggregateError([new Error("connect ECONNREFUSED ::1:6379"), new Error("another")]);
  expect(messageOf(refused)).toBe("connect ECONNREFUSED ::1:6379");
  // Node's own errors are of another realm than a program in Jest.
  const elsewhere: unknown = runInNewContext("new AggregateError([new Error('connect ECONNREFUSED ::1:6379')])");
  expect(messageOf(elsewhere)).toBe("connect ECONNREFUSED ::1:6379");
});

test("a promise of another realm, and whatever else has a then, can be awaited", () => {
  const like = thenable(() => {});
  const callable = Object.assign(() => {}, like);
  const elsewhere: unknown = runInNewContext("Promise.resolve()");
  for (const value of [Promise.resolve(), elsewhere, like, callable]) expect(isThenable(value)).toBe(true);
  for (const value of [{}, null, "then", () => {}]) expect(isThenable(value)).toBe(false);
});

test("what JSON.parse says of a text is told without the text", () => {
  for (const text of ["hunter2", '{"password": hunter2}', `{"a": "${"b".repeat(100)}" hunter2 "c": 1, "d d": "e e"}`]) {
    let said: unknown;
    try {
      JSON.parse(text);
    } catch (error) {
      said = error;
    }
    expect(describeThrown(said)).toMatch(/^SyntaxError: .*JSON/);
    expect(describeThrown(said)).not.toContain("hunter");
  }
});

test("the place is where an error was thrown, and nothing of its message", () => {
  expect(placeOf(new Error("a\n    at hunter2"))).toContain("thrown.test");
  expect(placeOf(new Error("a\n    at hunter2"))).not.toContain("hunter2");
  expect(placeOf("a text")).toBe("");
  for (const [, value] of ODD_VALUES) expect(placeOf(value).length).toBeLessThan(10_000);
});

test("what JSON.parse says of a text in Bun is told without the text", () => {
  const said = new SyntaxError('JSON Parse error: Unexpected identifier "hunter2"');
  expect(describeThrown(said)).toBe("SyntaxError: JSON Parse error: Unexpected identifier in the text");
});

test("a promise that was thrown, or given as a reason, does not end the process", async () => {
  // An unhandled rejection would fail this test file.
  expect(messageOf(Promise.reject(new Error("hunter2")))).toBe("[object Promise]");
  await new Promise((resolve) => setImmediate(resolve));
});
