import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decideAssignment, decideMoves, type Member } from "./assignment.ts";

const NOBODY: ReadonlySet<number> = new Set();
const names = ["a", "b", "c", "d", "e"];

/** Members that own different partitions, all of which have been there for a while. */
const settled = fc
  .record({
    partitions: fc.integer({ min: 1, max: 40 }),
    count: fc.integer({ min: 1, max: 5 }),
    owners: fc.array(fc.integer({ min: 0, max: 6 }), { minLength: 40, maxLength: 40 }),
  })
  .map(({ partitions, count, owners }) => {
    const members: Member[] = names.slice(0, count).map((name, index) => ({
      ...{ name, isNew: false },
      owns: Array.from({ length: partitions }, (_, partition) => partition).filter((one) => owners[one] === index),
    }));
    return { partitions, members };
  });

const countsOf = (members: readonly Member[], assigned: ReadonlyMap<number, string>): number[] =>
  members.map(({ name }) => [...assigned.values()].filter((owner) => owner === name).length);

describe("an assignment", () => {
  test("has an owner for each partition, and all have as many, or one more", () => {
    fc.assert(
      fc.property(settled, ({ partitions, members }) => {
        const assigned = decideAssignment(members, partitions);
        expect(assigned.size).toBe(partitions);
        const counts = countsOf(members, assigned);
        expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
      }),
    );
  });

  test("takes from nobody more than what is too many", () => {
    fc.assert(
      fc.property(settled, ({ partitions, members }) => {
        const assigned = decideAssignment(members, partitions);
        const most = Math.ceil(partitions / members.length);
        for (const { name, owns } of members) {
          const kept = owns.filter((partition) => assigned.get(partition) === name).length;
          expect(kept).toBeGreaterThanOrEqual(Math.min(owns.length, Math.floor(partitions / members.length)));
          expect(kept).toBeLessThanOrEqual(most);
        }
      }),
    );
  });

  test("is final: when everybody has got what it says, nothing moves", () => {
    fc.assert(
      fc.property(settled, ({ partitions, members }) => {
        const assigned = decideAssignment(members, partitions);
        const after = members.map((member) => ({
          ...member,
          owns: [...assigned].filter(([, name]) => name === member.name).map(([partition]) => partition),
        }));
        for (const { name, owns } of after) {
          expect(decideMoves(name, owns, after, partitions, NOBODY)).toEqual({ take: [], giveUp: [] });
        }
      }),
    );
  });

  test("does not depend on the order in which members are seen", () => {
    fc.assert(
      fc.property(settled, ({ partitions, members }) => {
        expect(decideAssignment(members.toReversed(), partitions)).toEqual(decideAssignment(members, partitions));
      }),
    );
  });

  test("when a rolling deploy replaces a member, only its partitions move", () => {
    const owns = (from: number) => [from, from + 1, from + 2, from + 3];
    const before: Member[] = names.slice(0, 4).map((name, index) => ({ name, owns: owns(index * 4), isNew: false }));
    const replaced = [...before.slice(1), { name: "z", owns: [], isNew: true }];
    const assigned = decideAssignment(replaced, 16);
    for (const { name, owns: kept } of before.slice(1)) {
      expect(kept.every((partition) => assigned.get(partition) === name)).toBe(true);
    }
    expect(owns(0).map((partition) => assigned.get(partition))).toEqual(["z", "z", "z", "z"]);
  });

  test("one that has just come takes nothing from others yet, but what nobody owns", () => {
    const members = [
      { name: "a", owns: [0, 1, 2], isNew: false },
      { name: "b", owns: [], isNew: true },
    ];
    expect([...decideAssignment(members, 4)]).toEqual([
      [0, "a"],
      [1, "a"],
      [2, "a"],
      [3, "b"],
    ]);
  });
});

describe("the moves of a member", () => {
  const members = (...owned: readonly (readonly number[])[]): Member[] =>
    owned.map((owns, index) => ({ name: names[index] ?? "", owns, isNew: false }));

  test("it gives up what another should have, and takes only what nobody owns", () => {
    expect(decideMoves("a", [0, 1, 2, 3], members([0, 1, 2, 3], []), 4, NOBODY)).toEqual({ take: [], giveUp: [2, 3] });
    expect(decideMoves("b", [], members([0, 1, 2, 3], []), 4, NOBODY)).toEqual({ take: [], giveUp: [] });
    expect(decideMoves("b", [], members([0, 1], []), 4, NOBODY)).toEqual({ take: [2, 3], giveUp: [] });
  });

  test("one that cannot work gives up everything, but not if there is nobody else", () => {
    expect(decideMoves("z", [0, 1], members([]), 2, NOBODY)).toEqual({ take: [], giveUp: [0, 1] });
    expect(decideMoves("z", [0, 1], [], 2, NOBODY)).toEqual({ take: [], giveUp: [] });
  });

  test("what nobody has taken for long may be taken by anybody", () => {
    const three = members([0], [2], [3, 4]);
    expect(["a", "b", "c"].map((name) => decideMoves(name, [], three, 6, NOBODY).take)).toEqual([[1], [5], []]);
    expect(decideMoves("c", [3, 4], three, 6, new Set([1])).take).toEqual([1]);
    expect(decideMoves("z", [], three, 6, new Set([1])).take).toEqual([]);
  });
});
