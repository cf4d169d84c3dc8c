import { describe, expect, expectTypeOf, test } from "vitest";
import { ConfigError } from "../errors/errors.ts";
import type { RedisSource } from "../redis/open-client.ts";
import { type DefaultsOf, defaultsOf, type OptionSpecs, type OptionsOf, type PolicyOf } from "./option-spec.ts";
import { type ChecksOf, OptionsReader } from "./options-reader.ts";

const SPEC = {
  redis: { kind: "redis" },
  stream: { kind: "stream", required: true, about: "the stream's key" },
  port: { kind: "integer", required: true, min: 0, max: 65_535, about: "the port" },
  size: { kind: "integer", min: 1, max: 100, default: 10, about: "things in a box" },
  share: { kind: "number", min: 0, max: 1, default: 0.5, about: "share of something" },
  boxes: { kind: "integer", min: 1, max: 5_000, default: { times: 3, of: "size", atLeast: 20 }, about: "boxes" },
  limit: { kind: "integer", min: 1, max: 1_000, notBelow: "size", about: "limit" },
  label: { kind: "text", about: "label", otherwise: "none" },
  name: { kind: "name", default: "me", about: "name" },
  loud: { kind: "flag", default: false, about: "whether it is loud" },
  mode: { kind: "choice", choices: ["slow", "fast"], default: "slow", about: "how" },
  scope: { kind: "choice", choices: ["all"], about: "which" },
  from: { kind: "position", default: "start", about: "where it begins" },
  retry: {
    kind: "options",
    about: "how it is retried",
    options: {
      baseMs: { kind: "milliseconds", min: 1, max: 1_000, default: 10, about: "the shortest delay" },
      capMs: { kind: "milliseconds", min: 1, max: 2_000, default: 100, notBelow: "baseMs", about: "the longest delay" },
    },
  },
  lock: {
    ...{ kind: "options", optional: true, about: "what is locked" },
    options: {
      key: { kind: "integer", required: true, min: 1, max: 9, about: "its key" },
      turns: { kind: "integer", min: 1, max: 9, default: 2, about: "how often" },
    },
  },
  tell: { kind: "function", value: {} as (line: string) => void, about: "who is told" },
  codec: { kind: "codec", method: "decode", value: {} as { decode(): unknown }, about: "how it is read" },
  signal: { kind: "signal", about: "ends it" },
} as const satisfies OptionSpecs;

const GIVEN = { redis: "redis://localhost", stream: "orders", port: 80 };

function read(options: object, checks: ChecksOf<typeof SPEC> = {}): PolicyOf<typeof SPEC> {
  const reader = new OptionsReader("new Thing", options, Object.keys(SPEC));
  return reader.finish(reader.read(SPEC, checks));
}

function problemsOf(options: object, checks: ChecksOf<typeof SPEC> = {}): readonly string[] {
  try {
    read(options, checks);
  } catch (error) {
    if (ConfigError.is(error)) return error.problems;
    throw error;
  }
  return [];
}

describe("a spec is the type", () => {
  test("of what a user gives", () => {
    type Options = OptionsOf<typeof SPEC>;
    expectTypeOf<{ redis: RedisSource; stream: string; port: number }>().toExtend<Options>();
    expectTypeOf<{ stream: string; port: number }>().not.toExtend<Options>();
    expectTypeOf<Options["size"]>().toEqualTypeOf<number | undefined>();
    expectTypeOf<Options["mode"]>().toEqualTypeOf<"slow" | "fast" | undefined>();
    expectTypeOf<Options["tell"]>().toEqualTypeOf<((line: string) => void) | undefined>();
    expectTypeOf<{ capMs: number }>().toExtend<Options["retry"]>();
  });

  test("of the policy, and of the defaults", () => {
    type Policy = PolicyOf<typeof SPEC>;
    expectTypeOf<Policy["port"]>().toEqualTypeOf<number>();
    expectTypeOf<Policy["boxes"]>().toEqualTypeOf<number>();
    expectTypeOf<Policy["limit"]>().toEqualTypeOf<number | undefined>();
    expectTypeOf<Policy["retry"]>().toEqualTypeOf<{ readonly baseMs: number; readonly capMs: number }>();
    expectTypeOf<DefaultsOf<typeof SPEC>["mode"]>().toEqualTypeOf<"slow">();
    expectTypeOf<Policy["lock"]>().toEqualTypeOf<{ readonly key: number; readonly turns: number } | undefined>();
    expectTypeOf<DefaultsOf<typeof SPEC>>().not.toHaveProperty("boxes");
    expectTypeOf<DefaultsOf<typeof SPEC>>().not.toHaveProperty("lock");
  });
});

test("the defaults are those that are always the same", () => {
  expect(defaultsOf(SPEC)).toEqual({
    ...{ size: 10, share: 0.5, name: "me", loud: false, mode: "slow", from: "start" },
    ...{ retry: { baseMs: 10, capMs: 100 } },
  });
});

describe("reading a spec", () => {
  test("fills in what is absent, and what follows another option", () => {
    expect(read(GIVEN)).toEqual({ ...defaultsOf(SPEC), ...GIVEN, boxes: 30 });
    expect(read({ ...GIVEN, size: 2 }).boxes).toBe(20);
    expect(read({ ...GIVEN, size: 100 }).boxes).toBe(300);
  });

  test("keeps what is given", () => {
    const { signal } = new AbortController();
    const given = {
      ...{ ...GIVEN, size: 3, share: 1, boxes: 1, limit: 3, label: "a", name: "b", loud: true, mode: "fast" },
      ...{ scope: "all", from: "5-1", retry: { baseMs: 2, capMs: 2 }, tell: () => {}, signal },
    };
    expect(read(given)).toEqual(given);
  });

  test("an object that is optional is there with its defaults, or not at all", () => {
    expect(read(GIVEN).lock).toBeUndefined();
    expect(read({ ...GIVEN, lock: { key: 3 } }).lock).toEqual({ key: 3, turns: 2 });
    expect(problemsOf({ ...GIVEN, lock: {} })).toEqual(["lock.key is missing"]);
  });

  test("freezes the policy, and objects of options in it", () => {
    expect([read(GIVEN), read(GIVEN).retry].map((value) => Object.isFrozen(value))).toEqual([true, true]);
  });

  test("tells every problem at once, in the order of the spec", () => {
    const options = {
      ...{ stream: "a}b", sizes: 1, size: 0, share: 2, boxes: 5_001, limit: 0, label: "", name: 5, loud: "yes" },
      ...{
        mode: "medium",
        scope: "some",
        from: "soon",
        retry: { baseMs: 50, capMs: 5, caps: 1 },
        tell: "me",
        codec: {},
        signal: {},
      },
    };
    expect(problemsOf(options)).toEqual([
      'unknown option "sizes", did you mean "size"?',
      "redis is missing: a URL, ioredis options, or an ioredis client",
      expect.stringContaining('"a}b" contains "}" outside a hash tag') as string,
      "port is missing",
      "size must be a whole number from 1 to 100, got 0",
      "share must be a number from 0 to 1, got 2",
      "boxes must be a whole number from 1 to 5000, got 5001",
      "limit must be a whole number from 1 to 1000, got 0",
      "label must be a non-empty text, got an empty text",
      "name must be a non-empty text, got 5",
      "loud must be true or false, got a text",
      'mode must be one of "slow", "fast", got a text',
      'scope must be one of "all", got a text',
      'from must be "start", "end" or an entry id such as "1700000000000-0"',
      'unknown option "retry.caps", did you mean "retry.capMs"?',
      "retry.capMs (5) must not be below retry.baseMs (50)",
      "tell must be a function",
      "codec must have a method decode(); see fieldsCodec, jsonCodec() and withSchema()",
      "signal must be an AbortSignal, got an object",
    ]);
  });

  test("null is a value like any other, and wrong everywhere", () => {
    const { redis: _, ...others } = SPEC;
    for (const name of Object.keys(others)) {
      expect(problemsOf({ ...GIVEN, [name]: null })).toEqual([expect.stringMatching(`^${name} must`)]);
    }
  });

  test.each([["often"], [5], [true], [[]], [null]])("an object of options must be one: %o", (retry) => {
    expect(problemsOf({ ...GIVEN, retry })).toEqual([expect.stringContaining("retry must be an object of options")]);
  });

  test("a bound that is another option holds for its default, too", () => {
    expect(problemsOf({ ...GIVEN, limit: 5 })).toEqual(["limit (5) must not be below size (10)"]);
    expect(problemsOf({ ...GIVEN, limit: 10 })).toEqual([]);
  });

  test("what no spec can say is checked in its place, where all else is right with it", () => {
    const checks: ChecksOf<typeof SPEC> = {
      size: () => "be another one",
      label: (label) => (label === "a" ? undefined : "be the first letter"),
    };
    expect(problemsOf({ ...GIVEN, label: "b", name: 5 }, checks)).toEqual([
      "size must be another one",
      "label must be the first letter",
      "name must be a non-empty text, got 5",
    ]);
    expect(problemsOf({ ...GIVEN, size: 0, label: "a" }, checks)).toEqual([
      "size must be a whole number from 1 to 100, got 0",
    ]);
    expect(problemsOf({ ...GIVEN, size: 0 }, checks)).toHaveLength(1);
  });
});
