import { describe, expect, test } from "vitest";
import { ConfigError } from "../errors/errors.ts";
import {
  DEAD_LETTERS_DEFAULTS,
  type DeadLettersOptions,
  type DiscardOptions,
  type ListLettersOptions,
  type RedriveOptions,
  resolveDeadLettersOptions,
  resolveDiscardOptions,
  resolveListOptions,
  resolveRedriveOptions,
} from "./options.ts";

function problems(resolve: () => unknown): readonly string[] {
  try {
    resolve();
  } catch (error) {
    if (ConfigError.is(error)) return error.problems;
    throw error;
  }
  return [];
}

const REQUIRED = { redis: "redis://localhost", stream: "orders", group: "billing" } as const;

describe("new DeadLetters", () => {
  test("what is not given takes its default", () => {
    const { connectTimeoutMs } = DEAD_LETTERS_DEFAULTS;
    expect(resolveDeadLettersOptions(REQUIRED)).toEqual({ ...REQUIRED, connectTimeoutMs, observer: undefined });
  });

  test("every problem is reported at once", () => {
    const options = { stream: "a}b", gruop: "x", connectTimeoutMs: 5, observer: "log" };
    expect(problems(() => resolveDeadLettersOptions(options as unknown as DeadLettersOptions))).toEqual([
      'unknown option "gruop", did you mean "group"?',
      "redis is missing: a URL, ioredis options, or an ioredis client",
      "connectTimeoutMs must be a whole number from 100 to 600000, got 5",
      "observer must be a function",
      expect.stringContaining('"a}b" contains "}" outside a hash tag') as string,
      "group must be a non-empty text, got undefined",
    ]);
  });
});

describe("list", () => {
  test("begins with the oldest, and takes a hundred of any kind", () => {
    expect(resolveListOptions({})).toMatchObject({ from: null, limit: 100, takesAll: true });
    expect(resolveListOptions({ filter: { reason: "x" } })).toMatchObject({ takesAll: false });
  });

  test("every problem is reported at once", () => {
    const options = { from: "yesterday", limit: 0, filter: {}, page: 2 } as unknown as ListLettersOptions;
    expect(problems(() => resolveListOptions(options))).toEqual([
      'unknown option "page"',
      "limit must be a whole number from 1 to 10000, got 0",
      expect.stringContaining("names no criterion") as string,
      'from must be a dead letter\'s id, such as "1700000000000-0"',
    ]);
  });
});

const at = (id: string, partition: number | null = null) => ({ partition, id });

describe("redrive and discard", () => {
  test("take ids, or a filter up to a limit", () => {
    expect(resolveRedriveOptions({ ids: ["1-1", "3/1-1"] })).toEqual({
      ...{ selection: { kind: "ids", ids: [at("1-1"), at("1-1", 3)] }, ifTrimmed: "skip" },
    });
    expect(resolveRedriveOptions({ filter: "all", ifTrimmed: "add" })).toMatchObject({
      ...{ selection: { kind: "filter", from: null, limit: 1_000 }, ifTrimmed: "add" },
    });
    expect(resolveDiscardOptions({ filter: "all", from: "3-4", limit: 7 })).toMatchObject({
      ...{ selection: { kind: "filter", from: at("3-4"), limit: 7 }, perSecond: undefined },
    });
  });

  test.each([
    [{}, ['give ids, or a filter; filter: "all" means every letter']],
    [{ ids: ["1-1"], filter: "all" }, ["ids and filter exclude each other; give one"]],
    [{ ids: ["1-1"], limit: 5, from: "1-1" }, ["limit has no meaning with ids", "from has no meaning with ids"]],
    [{ ids: ["1"] }, ['ids must be a list of dead letters\' ids, such as "1700000000000-0"']],
    [{ ids: "1-1" }, ['ids must be a list of dead letters\' ids, such as "1700000000000-0"']],
    [{ filter: "all", limit: 100_001 }, ["limit must be a whole number from 1 to 100000, got 100001"]],
    [{ filter: "all", onProgress: true }, ["onProgress must be a function"]],
  ])("refuse %o", (options, expected) => {
    expect(problems(() => resolveDiscardOptions(options as unknown as DiscardOptions))).toEqual(expected);
    expect(problems(() => resolveRedriveOptions(options as unknown as RedriveOptions))).toEqual(expected);
  });

  test("only redrive says what becomes of letters whose entry is gone", () => {
    const options = { filter: "all", ifTrimmed: "drop" };
    expect(problems(() => resolveRedriveOptions(options as unknown as RedriveOptions))).toEqual([
      'ifTrimmed must be one of "skip", "add", got a text',
    ]);
    expect(problems(() => resolveDiscardOptions(options as unknown as DiscardOptions))).toEqual([
      'unknown option "ifTrimmed"',
    ]);
  });
});
