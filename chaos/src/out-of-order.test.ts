import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { WorkerLine } from "./journal.ts";
import { findOutOfOrder } from "./out-of-order.ts";
import { reconstruct } from "./reconstruct.ts";

const ORDER_KEYS = new Map([
  ["p0-1", "a"],
  ["p0-2", "a"],
  ["p0-3", "b"],
]);

const offered = (t: number, ...messages: readonly [key: string, id: string][]): WorkerLine => ({
  ...{ e: "offered", t, messages: messages.map(([key, id]) => [key, id, 1] as const) },
});
const done = (t: number, key: string): WorkerLine => ({ e: "done", t, key });
const rejected = (t: number, key: string): WorkerLine => ({ e: "rejected", t, key });

/** By the journals of workers, and dead letters with their times. */
function find(
  journals: readonly (readonly WorkerLine[])[],
  letters: readonly [key: string, id: string, atMs: number][] = [],
) {
  const offers = journals.flatMap((lines, index) => reconstruct(`w${index}`, lines, true, []).offers);
  return findOutOfOrder(
    ORDER_KEYS,
    offers,
    letters.map(([key, id, atMs]) => ({ key, id, atMs })),
  );
}

describe("of one key", () => {
  const batch = offered(10, ["p0-1", "1-1"], ["p0-2", "1-2"]);

  test("the later message after the earlier one is in order", () => {
    expect(find([[batch, done(20, "p0-1"), done(30, "p0-2")]])).toEqual([]);
  });

  test("the later message first is out of order, and is named with the earlier one", () => {
    const [found, ...others] = find([[batch, done(20, "p0-2"), done(30, "p0-1")]]);
    expect(found).toMatchObject({ key: "p0-2", id: "1-2" });
    expect(found?.text).toBe("of a, completed 10 ms before p0-1 (1-1), which is before it");
    expect(others).toEqual([]);
  });

  test("the order is that of the ids, not of the texts", () => {
    const lines = [offered(10, ["p0-1", "9-2"], ["p0-2", "9-10"]), done(20, "p0-1"), done(30, "p0-2")];
    expect(find([lines])).toEqual([]);
  });

  test("the later one in another process, before the earlier one, is out of order", () => {
    const first = [offered(10, ["p0-1", "1-1"]), done(50, "p0-1")];
    expect(find([first, [offered(20, ["p0-2", "1-2"]), done(30, "p0-2")]])).toHaveLength(1);
  });

  test("only the first completion counts: what is redelivered after that comes when it comes", () => {
    const again = [offered(40, ["p0-1", "1-1"]), done(50, "p0-1")];
    expect(find([[batch, done(20, "p0-1"), done(30, "p0-2")], again])).toEqual([]);
  });

  test("what is redelivered after its dead letter does not count", () => {
    const late = [offered(10, ["p0-1", "1-1"]), done(50, "p0-1")];
    const next = [offered(28, ["p0-2", "1-2"]), done(30, "p0-2")];
    expect(find([late, next], [["p0-1", "1-1", 20]])).toEqual([]);
    expect(find([late, next])).toHaveLength(1);
  });

  test("a dead letter that is written after the next one was done is too late", () => {
    const next = [offered(28, ["p0-2", "1-2"]), done(30, "p0-2")];
    expect(find([next], [["p0-1", "1-1", 45]])).toMatchObject([{ key: "p0-2" }]);
    // The clocks are not that exact.
    expect(find([next], [["p0-1", "1-1", 33]])).toEqual([]);
  });

  test("what the handler asked to be a dead letter is completed then", () => {
    const lines = [batch, rejected(20, "p0-1"), done(30, "p0-2")];
    expect(find([lines], [["p0-1", "1-1", 60]])).toEqual([]);
    expect(find([[batch, rejected(20, "p0-2"), done(30, "p0-1")]])).toHaveLength(1);
  });

  test("what never came to an end, because a fault destroyed it, holds up nobody", () => {
    expect(find([[batch, done(30, "p0-2")]])).toEqual([]);
  });
});

test("other keys, and the same key in another stream, have their own order", () => {
  const batch = offered(10, ["p0-1", "1-1"], ["p0-3", "1-3"]);
  expect(find([[batch, done(20, "p0-3"), done(30, "p0-1")]])).toEqual([]);
  const streams = [offered(10, ["p0-1", "s/1-1"], ["p0-2", "t/1-2"]), done(20, "p0-2"), done(30, "p0-1")];
  expect(find([streams])).toEqual([]);
  const one = [offered(10, ["p0-1", "s/1-1"], ["p0-2", "s/1-2"]), done(20, "p0-2"), done(30, "p0-1")];
  expect(find([one])).toHaveLength(1);
});

describe("of any number of messages and keys", () => {
  const lines = fc.array(fc.integer({ min: 0, max: 5 }), { minLength: 2, maxLength: 60 });
  const judged = (orderKeys: readonly number[], order: readonly number[]) => {
    const keys = orderKeys.map((orderKey, index) => [`k${index}`, `o${orderKey}`] as const);
    const journal = [
      offered(0, ...keys.map(([key], index): [string, string] => [key, `5-${index}`])),
      ...order.map((index, at) => done(10 + at, `k${index}`)),
    ];
    return findOutOfOrder(new Map(keys), reconstruct("w", journal, true, []).offers, []);
  };

  test("whatever the order of the keys among each other, in order within each there is nothing to find", () => {
    fc.assert(
      fc.property(lines, fc.infiniteStream(fc.nat()), (orderKeys, chance) => {
        const left = new Map<number, number[]>();
        for (const [index, key] of orderKeys.entries()) left.set(key, [...(left.get(key) ?? []), index]);
        const order: number[] = [];
        for (const drawn of chance) {
          const queues = [...left.values()].filter(({ length }) => length > 0);
          if (queues.length === 0) break;
          order.push((queues[drawn % queues.length] as number[]).shift() as number);
        }
        expect(judged(orderKeys, order)).toEqual([]);
      }),
    );
  });

  test("exactly those are found that are completed before an earlier one of their key", () => {
    fc.assert(
      fc.property(
        lines.chain((keys) => fc.tuple(fc.constant(keys), fc.shuffledSubarray([...keys.keys()], { minLength: 1 }))),
        ([orderKeys, order]) => {
          const expected = order.filter((index, at) =>
            order.slice(at + 1).some((other) => other < index && orderKeys[other] === orderKeys[index]),
          );
          const found = judged(orderKeys, order).map(({ key }) => Number(key.slice(1)));
          expect(found.toSorted((a, b) => a - b)).toEqual(expected.toSorted((a, b) => a - b));
        },
      ),
    );
  });
});
