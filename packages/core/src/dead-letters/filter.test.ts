import { runInNewContext } from "node:vm";
import { describe, expect, test } from "vitest";
import { ConfigError, UsageError } from "../errors/errors.ts";
import { type LetterFilter, resolveFilter } from "./filter.ts";
import { DeadLetter } from "./letter.ts";

const letter = (reason: string, atMs: number): DeadLetter =>
  new DeadLetter("9-0", [Buffer.from("a"), Buffer.from("1")], {
    ...{ entryId: "1-0", consumer: "c", deliveries: 1, reason, error: `Failed at ${atMs}`, at: new Date(atMs) },
  });

const LETTERS = [letter("rejected", 10), letter("rejected", 20), letter("undecodable", 20), letter("undecodable", 30)];
const picked = (filter: LetterFilter): number[] => {
  const accepts = resolveFilter("list", filter);
  return LETTERS.flatMap((candidate, index) => (accepts(candidate) ? [index] : []));
};

test("all are all", () => {
  expect(picked("all")).toEqual([0, 1, 2, 3]);
});

test.each([
  [{ reason: "rejected" }, [0, 1]],
  [{ reason: "reject" }, []],
  [{ error: "failed AT 2" }, [1, 2]],
  [{ since: new Date(20) }, [1, 2, 3]],
  [{ before: new Date(20) }, [0]],
  [{ since: runInNewContext("new Date(20)") as Date }, [1, 2, 3]],
  [{ reason: "undecodable", since: new Date(20), before: new Date(30) }, [2]],
])("those that meet every criterion: %o", (filter, expected) => {
  expect(picked(filter)).toEqual(expected);
});

test("those that the function says true of", () => {
  expect(picked(({ at }) => at.getTime() > 10)).toEqual([1, 2, 3]);
});

describe("what was meant to be narrow never turns out to be everything", () => {
  test.each([
    [{}, 'names no criterion; use filter: "all" to select all dead letters'],
    [{ reason: undefined }, "reason is undefined; leave it out, or set a value"],
    [{ reson: "rejected" }, 'unknown option "reson", did you mean "reason"?'],
    [{ reason: 5 }, "reason must be a text"],
    [{ since: "2026-01-01" }, "since must be a valid Date"],
    [{ before: new Date("soon") }, "before must be a valid Date"],
    ["everything", "expected an options object, got a text"],
    [null, "expected an options object, got null"],
  ])("%o is refused", (filter, problem) => {
    const resolve = () => resolveFilter("discard", filter as LetterFilter);
    expect(resolve).toThrow(ConfigError);
    expect(resolve).toThrow(problem);
  });

  test.each([[undefined], [1], ["yes"], [Promise.resolve(false)]])(
    "a function that answers %o is refused",
    (answer) => {
      const accepts = resolveFilter("discard", (() => answer) as unknown as LetterFilter);
      expect(() => accepts(letter("x", 1))).toThrow(UsageError);
    },
  );
});
