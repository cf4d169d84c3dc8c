import { expect, test } from "vitest";
import type { Offer } from "../duplicate.ts";
import { type HistoryFacts, historiesOf } from "./histories.ts";
import { compareOwners, ownersById } from "./ownership.ts";

const facts: HistoryFacts = {
  messages: [{ key: "k", id: "1000-1", orderKey: undefined }],
  offers: [],
  owners: new Map(),
  destroyed: new Map(),
  inFlight: new Set(),
  serverAheadMs: 0,
};
const offer = (atMs: number, settledAtMs: number | undefined): Offer => ({
  ...{ key: "k", id: "1000-1", worker: "w", atMs, deliveries: 1, worked: undefined, settledAtMs },
  ...{ refusedAtMs: undefined, endedAtMs: undefined, deferred: undefined },
});

test("a message begins when its id says, on the clock of the journals", () => {
  expect(historiesOf(facts)).toMatchObject([{ key: "k", id: "1000-1", addedAtMs: 1_000 }]);
  expect(historiesOf({ ...facts, serverAheadMs: 100 })).toMatchObject([{ addedAtMs: 900 }]);
});

test("it ends when a worker learned so, when the witness saw it gone, or when a fault destroyed it", () => {
  const endOf = (changes: Partial<HistoryFacts>): number | undefined => historiesOf({ ...facts, ...changes })[0]?.endMs;
  const owners = new Map([
    [
      "1000-1",
      [
        { atMs: 1_100, owner: "w", deliveries: 1 },
        { atMs: 1_900, owner: null, deliveries: 0 },
      ],
    ],
  ]);
  expect(endOf({ offers: [offer(1_200, undefined), offer(1_100, 1_500)], owners })).toBe(1_500);
  expect(endOf({ offers: [offer(1_100, undefined)], owners })).toBe(1_900);
  expect(endOf({ destroyed: new Map([["1000-1", 1_300]]), owners })).toBe(1_300);
  expect(endOf({ offers: [offer(1_100, undefined)] })).toBe(1_100);
  expect(endOf({ offers: [offer(1_100, undefined)], inFlight: new Set(["1000-1"]) })).toBeUndefined();
});

test("one that a fault destroyed is told from one that came to its end before", () => {
  const destroyed = new Map([["1000-1", 1_300]]);
  expect(historiesOf({ ...facts, destroyed })).toMatchObject([{ endMs: 1_300, isDestroyed: true }]);
  expect(historiesOf({ ...facts, destroyed, offers: [offer(1_100, 1_200)] })).toMatchObject([{ isDestroyed: false }]);
});

test("the witness notes who has a message from then on, and that nobody has it any more", () => {
  const looks = [
    new Map([["1-1", ["a", 1]]] as const),
    new Map([
      ["1-1", ["a", 2]],
      ["1-2", ["b", 1]],
    ] as const),
    new Map([["1-1", ["rb:released", 2]]] as const),
    new Map(),
  ];
  const lines = looks.slice(1).map((look, index) => ({
    t: (index + 1) * 10,
    changes: compareOwners(looks[index] as (typeof looks)[0], look),
  }));
  const first = { t: 0, changes: compareOwners(new Map(), looks[0] as (typeof looks)[0]) };
  expect(ownersById([first, ...lines])).toEqual(
    new Map([
      [
        "1-1",
        [
          { atMs: 0, owner: "a", deliveries: 1 },
          { atMs: 20, owner: "rb:released", deliveries: 2 },
          { atMs: 30, owner: null, deliveries: 0 },
        ],
      ],
      [
        "1-2",
        [
          { atMs: 10, owner: "b", deliveries: 1 },
          { atMs: 20, owner: null, deliveries: 0 },
        ],
      ],
    ]),
  );
});
