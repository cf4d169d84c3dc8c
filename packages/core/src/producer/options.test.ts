import { describe, expect, test } from "vitest";
import { fieldsCodec } from "../codecs/codec.ts";
import { ConfigError } from "../errors/errors.ts";
import { PRODUCER_DEFAULTS, type ProducerOptions, resolveProducerOptions } from "./options.ts";

const REQUIRED = { redis: "redis://localhost", stream: "orders" } as const;

function problems(options: object): readonly string[] {
  try {
    resolveProducerOptions(options as ProducerOptions);
  } catch (error) {
    if (ConfigError.is(error)) return error.problems;
    throw error;
  }
  return [];
}

test("what is not given takes its default", () => {
  const { whileAway, queueTimeoutMs, maxQueued, maxQueuedBytes, retryForMs, rememberKeysMs } = PRODUCER_DEFAULTS;
  const { connectTimeoutMs, closeTimeoutMs } = PRODUCER_DEFAULTS;
  expect(resolveProducerOptions(REQUIRED)).toEqual({
    ...{ ...REQUIRED, codec: fieldsCodec, trim: undefined, observer: undefined },
    ...{ whileAway, queueTimeoutMs, maxQueued, maxQueuedBytes, retryForMs, rememberKeysMs },
    ...{ connectTimeoutMs, closeTimeoutMs },
    ...{ partitions: undefined, streams: ["orders"] },
  });
});

test("the policy cannot be changed", () => {
  expect(resolveProducerOptions(REQUIRED)).toSatisfy(Object.isFrozen);
});

test("every problem is reported at once", () => {
  const options = { stream: "", codec: {}, whileAway: "wait", maxQueued: 0, maxLenght: 5, observer: "log" };
  expect(problems(options)).toEqual([
    'unknown option "maxLenght", did you mean "maxLen"?',
    "redis is missing: a URL, ioredis options, or an ioredis client",
    "observer must be a function",
    "stream must be a non-empty text, got an empty text",
    "codec must have a method encode(); see fieldsCodec, jsonCodec() and withSchema()",
    'whileAway must be one of "queue", "fail", got a text',
    "maxQueued must be a whole number from 1 to 10000000, got 0",
  ]);
});

test("a key must be remembered for longer than it is retried with", () => {
  expect(problems({ ...REQUIRED, retryForMs: 60_000, rememberKeysMs: 60_000 })).toEqual([
    "rememberKeysMs (60000) must be longer than retryForMs (60000), or a late retry adds twice",
  ]);
});

describe("trimming", () => {
  test.each([{ maxLen: 1_000 }, { minId: "1700000000000-0" }])("is refused without the flag: %o", (trim) => {
    const [problem, ...others] = problems({ ...REQUIRED, ...trim });
    expect(problem).toMatch(/^(maxLen|minId) drops messages that no consumer has read .* set allowUnreadLoss: true/);
    expect(others).toEqual([]);
  });

  test("is approximate unless it is to be exact", () => {
    const options = { ...REQUIRED, allowUnreadLoss: true };
    expect(resolveProducerOptions({ ...options, maxLen: 1_000 }).trim).toEqual({
      ...{ strategy: "maxLen", threshold: 1_000, approximate: true },
    });
    expect(resolveProducerOptions({ ...options, minId: "17-0", approximate: false }).trim).toEqual({
      ...{ strategy: "minId", threshold: "17-0", approximate: false },
    });
  });

  test.each([
    [{ maxLen: 0 }, "maxLen must be a whole number from 1 to 9007199254740991, got 0"],
    [{ minId: "yesterday" }, 'minId must be an entry id such as "1700000000000-0", or its milliseconds'],
    [{ maxLen: 5, minId: "5" }, "maxLen and minId exclude each other; give one"],
    [{ approximate: false }, "approximate has no meaning without maxLen or minId"],
  ])("is refused when it makes no sense: %o", (trim, problem) => {
    expect(problems({ ...REQUIRED, allowUnreadLoss: true, ...trim })).toEqual([problem]);
  });
});
