import * as fc from "fast-check";
import { expect, test } from "vitest";
import { compareEntryIds, isEntryId, nextEntryId } from "./entry-id.ts";

const MAX = 2n ** 64n - 1n;
// Plain bigints are almost never near each other; the edges are where a comparison by text or by double goes wrong.
const part = fc.oneof(
  fc.bigInt(0n, MAX),
  fc.bigInt(0n, 20n),
  fc.bigInt(2n ** 53n - 5n, 2n ** 53n + 5n),
  fc.bigInt(MAX - 5n, MAX),
);
const parts = fc.tuple(part, part);
const asId = ([ms, seq]: readonly [bigint, bigint]): string => `${ms}-${seq}`;

test("the order of two ids is the order of their numbers", () => {
  fc.assert(
    fc.property(parts, parts, (left, right) => {
      const ms = left[0] - right[0];
      const expected = ms === 0n ? left[1] - right[1] : ms;
      expect(Math.sign(compareEntryIds(asId(left), asId(right)))).toBe(expected === 0n ? 0 : expected < 0n ? -1 : 1);
    }),
  );
});

test("two unsigned 64-bit numbers are an id, and a larger number is not", () => {
  fc.assert(
    fc.property(part, fc.bigInt(MAX + 1n, MAX * 100n), (ok, tooLarge) => {
      expect(isEntryId(`${ok}-${ok}`)).toBe(true);
      expect(isEntryId(`${tooLarge}-${ok}`)).toBe(false);
      expect(isEntryId(`${ok}-${tooLarge}`)).toBe(false);
    }),
  );
});

test("the next id is greater by one, and only the last has none", () => {
  fc.assert(
    fc.property(parts, ([ms, seq]) => {
      const next = nextEntryId(asId([ms, seq]));
      const expected = (ms << 64n) + seq + 1n;
      expect(next).toBe(expected > (MAX << 64n) + MAX ? null : asId([expected >> 64n, expected & MAX]));
    }),
    { examples: [[[MAX, MAX]], [[0n, MAX]], [[MAX, MAX - 1n]]] },
  );
});
