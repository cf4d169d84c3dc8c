import { inspect } from "node:util";
import { ConfigError } from "@redis-batch/core";
import { describe, expect, it } from "vitest";
import { Consumer } from "./consumer.ts";
import { CONSUMER_DEFAULTS, type ConsumerOptions, resolveConsumerOptions } from "./options.ts";

const given: ConsumerOptions<unknown> = { redis: "redis://localhost", stream: "orders", group: "billing" };

class KeyOfCustomer {
  readonly customer = "A";
}

function problemsOf(options: object): readonly string[] {
  try {
    resolveConsumerOptions(options as ConsumerOptions<unknown>, "1");
  } catch (error) {
    if (ConfigError.is(error)) return error.problems;
    throw error;
  }
  return [];
}

describe("resolveConsumerOptions", () => {
  it("fills in the documented defaults", () => {
    const policy = resolveConsumerOptions(given, "1");
    expect(policy).toMatchObject(CONSUMER_DEFAULTS);
    expect(policy.maxDeferred).toBe(1_000);
  });

  it("makes a name that no other instance has", () => {
    expect(resolveConsumerOptions(given, "abc").name).toMatch(new RegExp(`^.+-${process.pid}-abc$`));
  });

  it("freezes the policy", () => {
    expect(Object.isFrozen(resolveConsumerOptions(given, "1"))).toBe(true);
  });

  it("names every problem at once", () => {
    const problems = problemsOf({
      stream: "",
      group: "g",
      batchsize: 1,
      maxWaitMs: -1,
      retry: { capMs: 5 },
      startFrom: "soon",
      observer: "log",
    });
    expect(problems).toEqual([
      'unknown option "batchsize", did you mean "batchSize"?',
      "redis is missing: a URL, ioredis options, or an ioredis client",
      "observer must be a function",
      "stream must be a non-empty text, got an empty text",
      "retry.capMs (5) must not be below retry.baseMs (1000)",
      "maxWaitMs must be a whole number from 0 to 3600000, got -1",
      'startFrom must be "start", "end" or an entry id such as "1700000000000-0"',
    ]);
  });

  it("refuses a stream name beside which no other key can live in a Cluster", () => {
    expect(problemsOf({ ...given, stream: "a}b" })[0]).toContain("hash tag");
  });

  it.each([
    [{ orderBy: null }, "orderBy must have a value or be left out, got null"],
    [{ orderBy: KeyOfCustomer }, "orderBy must be the name of a field, or a function that returns a text at once"],
    [{ orderBy: function* () {} }, "orderBy must be the name of a field, or a function that returns a text at once"],
    [{ orderBy: async () => "A" }, "orderBy must be the name of a field, or a function that returns a text at once"],
    [{ orderScope: "consumer" }, "orderScope is of no use without orderBy"],
    [
      { orderBy: "key", orderScope: "consumer", partitions: 4 },
      "orderScope is of no use with partitions, which are in order anyway",
    ],
    [{ rebalanceGraceMs: 0 }, "rebalanceGraceMs is of no use without partitions"],
    [{ partitions: 2.5 }, "partitions must be a whole number from 1 to 256, got 2.5"],
    [{ partitions: "4" }, "partitions must be a whole number from 1 to 256, got a text"],
    [{ instrumentation: null }, "instrumentation must have a value or be left out, got null"],
  ])("refuses %o with one clear sentence", (options, problem) => {
    expect(problemsOf({ ...given, ...options })).toEqual([problem]);
  });

  it("accepts an entry id as a position", () => {
    expect(resolveConsumerOptions({ ...given, startFrom: "5-1" }, "1").startFrom).toBe("5-1");
  });
});

it("a consumer is shown with its name, stream, group and state, and never its options", () => {
  const consumer = new Consumer({
    redis: "redis://u:hunter2@localhost",
    stream: "orders",
    group: "billing",
    name: "me",
  });
  expect(inspect(consumer)).toBe("Consumer { name: 'me', stream: 'orders', group: 'billing', state: 'idle' }");
});
