import * as fc from "fast-check";
import { expect, test } from "vitest";
import { keySlot } from "./key-slot.ts";
import { type GroupKeyKind, groupKey, hashTag, idempotencyKey } from "./keys.ts";

const kinds = fc.constantFrom<GroupKeyKind>("dead", "consumers", "final-reports", "lease:recovery", "scaler", "audit");
// Names made of what separates and escapes, and any others.
const names = fc.oneof(
  fc.string({ unit: fc.constantFrom("a", "b", ":", "%", "{", "}", "2", "5", "3", "A"), minLength: 1, maxLength: 8 }),
  fc.string({ unit: "binary", minLength: 1, maxLength: 12 }),
);
const streams = names.filter((text) => {
  try {
    hashTag(text);
    return true;
  } catch {
    return false;
  }
});

test("two different triples of kind, stream and group never share a key", () => {
  const triple = fc.tuple(kinds, streams, names);
  fc.assert(
    fc.property(triple, triple, (left, right) => {
      const isSame = left.every((part, index) => part === right[index]);
      expect(groupKey(...left) === groupKey(...right)).toBe(isSame);
    }),
    { numRuns: 1_000 },
  );
});

test("a group's key is never an idempotency key", () => {
  fc.assert(
    fc.property(kinds, streams, names, streams, names, (kind, left, group, right, key) => {
      expect(groupKey(kind, left, group)).not.toBe(idempotencyKey(right, key));
    }),
  );
});

test("every key is in the stream's own slot", () => {
  fc.assert(
    fc.property(kinds, streams, names, (kind, stream, group) => {
      const slot = slotOf(stream);
      expect(slotOf(groupKey(kind, stream, group))).toBe(slot);
      expect(slotOf(idempotencyKey(stream, group))).toBe(slot);
    }),
    { numRuns: 1_000 },
  );
});

test("the slot of a key is that of Redis Cluster", () => {
  const wellFormed = names.filter((name) => name.isWellFormed());
  fc.assert(
    fc.property(wellFormed, (name) => {
      expect(keySlot(name)).toBe(slotOf(name));
    }),
    { numRuns: 1_000 },
  );
  expect(keySlot("123456789")).toBe(0x31c3 % 16_384);
  expect(keySlot("")).toBe(0);
});

test("the slots below are Redis Cluster's", () => {
  // From the Cluster specification and from CLUSTER KEYSLOT.
  expect(crc16(Buffer.from("123456789"))).toBe(0x31c3);
  expect(slotOf("foo")).toBe(12_182);
  expect(slotOf("{user1000}.following")).toBe(slotOf("{user1000}.followers"));
  expect(slotOf("foo{}{bar}")).toBe(crc16(Buffer.from("foo{}{bar}")) % 16_384);
  expect(slotOf("foo{{bar}}zap")).toBe(slotOf("{bar"));
});

/** The slot of a key as the Cluster specification says it. */
function slotOf(key: string): number {
  const bytes = Buffer.from(key);
  const open = bytes.indexOf("{");
  const close = open < 0 ? -1 : bytes.indexOf("}", open + 1);
  return crc16(close > open + 1 ? bytes.subarray(open + 1, close) : bytes) % 16_384;
}

/** CRC-16/XMODEM, bit by bit. */
function crc16(bytes: Buffer): number {
  let crc = 0;
  for (const byte of bytes) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit++) crc = crc & 0x8000 ? ((crc << 1) ^ 0x1021) & 0xffff : (crc << 1) & 0xffff;
  }
  return crc;
}
