import { describe, expect, test } from "vitest";
import { ConfigError } from "../errors/errors.ts";
import { didYouMean, OptionsReader } from "./options-reader.ts";

const SIZE = { default: 10, min: 1, max: 100 };
const RATIO = { default: 0.5, min: 0, max: 1 };

function problemsOf(read: () => unknown): readonly string[] {
  try {
    read();
  } catch (error) {
    if (ConfigError.is(error)) return error.problems;
    throw error;
  }
  return [];
}

describe("OptionsReader", () => {
  test("fills what is absent, keeps what is given, freezes the result", () => {
    const reader = new OptionsReader("new Thing", { size: 3, name: "n", loud: true, mode: "fast" }, [
      ...["size", "ratio", "name", "label", "loud", "quiet", "mode", "kind"],
    ]);
    const policy = reader.finish({
      ...{ size: reader.integer("size", SIZE), ratio: reader.number("ratio", RATIO) },
      ...{ name: reader.text("name"), label: reader.text("label", "none") },
      ...{ loud: reader.flag("loud", false), quiet: reader.flag("quiet", false) },
      ...{ mode: reader.oneOf("mode", ["slow", "fast"], "slow"), kind: reader.oneOf("kind", ["a", "b"], "b") },
    });
    expect(policy).toEqual({
      ...{ size: 3, ratio: 0.5, name: "n", label: "none", loud: true, quiet: false, mode: "fast", kind: "b" },
    });
    expect(Object.isFrozen(policy)).toBe(true);
  });

  test("tells an option that was given from one that was not", () => {
    const reader = new OptionsReader("new Thing", { given: null, absent: undefined }, ["given", "absent", "missing"]);
    expect(["given", "absent", "missing"].map((name) => reader.has(name))).toEqual([true, false, false]);
  });

  test("reports every problem at once, in one sentence each", () => {
    const problems = problemsOf(() => {
      const options = { sizes: 1, size: 0, ratio: 2, name: "", loud: "yes", mode: "medium" };
      const reader = new OptionsReader("new Thing", options, ["size", "ratio", "name", "loud", "mode", "label"]);
      reader.integer("size", SIZE);
      reader.number("ratio", RATIO);
      reader.text("name");
      reader.text("label");
      reader.flag("loud", false);
      reader.oneOf("mode", ["slow", "fast"], "slow");
      reader.problem("size and ratio do not go together");
      reader.collect(() => {
        throw new ConfigError("inner", ["one", "two"]);
      }, undefined);
      reader.finish({});
    });
    expect(problems).toEqual([
      'unknown option "sizes", did you mean "size"?',
      "size must be a whole number from 1 to 100, got 0",
      "ratio must be a number from 0 to 1, got 2",
      "name must be a non-empty text, got an empty text",
      "label must be a non-empty text, got undefined",
      "loud must be true or false, got a text",
      'mode must be one of "slow", "fast", got a text',
      "size and ratio do not go together",
      "one",
      "two",
    ]);
  });

  test("the error names whose options they are", () => {
    expect(() => new OptionsReader("new Thing", { nonsense: 1 }, ["size"]).finish({})).toThrow(
      'new Thing: unknown option "nonsense"',
    );
  });

  test.each([[undefined], [null], ["size=1"], [3], [() => {}]])("options that are %o are a problem", (options) => {
    expect(problemsOf(() => new OptionsReader("new Thing", options, ["size"]))).toHaveLength(1);
  });

  test.each([[Number.NaN], [Number.POSITIVE_INFINITY], [1.5], [0], [101], ["5"], [null], [2n], [{}]])(
    "%o is not a whole number from 1 to 100",
    (size) => {
      const reader = new OptionsReader("new Thing", { size }, ["size"]);
      expect(reader.integer("size", SIZE)).toBe(SIZE.default);
      expect(problemsOf(() => reader.finish({}))).toHaveLength(1);
    },
  );

  test.each([[Number.NaN], [-0.1], [1.1], ["0.5"], [null]])("%o is not a number from 0 to 1", (ratio) => {
    const reader = new OptionsReader("new Thing", { ratio }, ["ratio"]);
    expect(reader.number("ratio", RATIO)).toBe(RATIO.default);
    expect(problemsOf(() => reader.finish({}))).toHaveLength(1);
  });

  test("never quotes a value that could be a password", () => {
    const secret = "hunter2-secret";
    const values = [secret, [secret], { secret }, Symbol(secret), () => secret];
    for (const value of values) {
      const problems = problemsOf(() => {
        const reader = new OptionsReader("new Thing", { value }, ["value"]);
        reader.integer("value", SIZE);
        reader.number("value", RATIO);
        reader.flag("value", false);
        reader.oneOf("value", ["a"], "a");
        if (typeof value !== "string") reader.text("value");
        reader.finish({});
      });
      expect(problems.length).toBeGreaterThanOrEqual(4);
      expect(problems.join()).not.toContain(secret);
    }
    expect(problemsOf(() => new OptionsReader("new Thing", secret, []))).toEqual([
      "expected an options object, got a text",
    ]);
  });

  test("does not swallow an error that is not about options", () => {
    const reader = new OptionsReader("new Thing", {}, []);
    const fault = new TypeError("a bug");
    expect(() =>
      reader.collect(() => {
        throw fault;
      }, 0),
    ).toThrow(fault);
  });
});

describe("didYouMean", () => {
  const known = ["batchSize", "maxWaitMs", "blockMs", "leaseMs"];

  test.each([
    ["batchsize", "batchSize"],
    ["bachSize", "batchSize"],
    ["maxWait", "maxWaitMs"],
    ["block_ms", "blockMs"],
    ["leaseMS", "leaseMs"],
  ])("takes %j for %j", (typed, meant) => {
    expect(didYouMean(typed, known)).toBe(meant);
  });

  test.each(["", "x", "concurrency", "redis"])("does not guess at %j", (typed) => {
    expect(didYouMean(typed, known)).toBeUndefined();
  });
});
