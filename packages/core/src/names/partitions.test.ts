import { describe, expect, test } from "vitest";
import { ConfigError } from "../errors/errors.ts";
import { keySlot } from "./key-slot.ts";
import { MOST_PARTITIONS, partitionOfKey, partitionStreams, partitionsKey } from "./partitions.ts";

describe("partitionStreams", () => {
  // Published in docs/partitions.md: programs in other languages are checked by them.
  test.each([
    ["orders", ["orders/0.48", "orders/1.1", "orders/2.53", "orders/3.9"]],
    ["shop:orders", ["shop:orders/0.23", "shop:orders/1.1", "shop:orders/2.31"]],
    ["bestellungen-ü", ["bestellungen-ü/0.53", "bestellungen-ü/1.22"]],
  ])("of %s are %j", (stream, streams) => {
    expect(partitionStreams(stream, streams.length)).toEqual(streams);
  });

  test.each([3, 5, 6])("are spread evenly over %i masters, whatever their number", (masters) => {
    for (let partitions = 1; partitions <= 64; partitions++) {
      const counts = Array.from({ length: masters }, () => 0);
      for (const stream of partitionStreams("orders", partitions)) {
        const master = Math.floor((keySlot(stream) * masters) / 16_384);
        counts[master] = (counts[master] ?? 0) + 1;
      }
      expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
    }
  });

  test("are all in slots of their own", () => {
    const streams = partitionStreams("orders", MOST_PARTITIONS);
    expect(new Set(streams.map(keySlot)).size).toBe(MOST_PARTITIONS);
  });

  test.each([0, 257, 1.5, Number.NaN])("cannot be %d", (partitions) => {
    expect(() => partitionStreams("orders", partitions)).toThrow(ConfigError);
  });

  test.each(["{orders}", "orders{", "}orders", "{}"])("cannot be those of %s", (stream) => {
    expect(() => partitionStreams(stream, 4)).toThrow("braces");
  });

  test("an empty name has none", () => {
    expect(() => partitionStreams("", 4)).toThrow(ConfigError);
  });
});

describe("partitionOfKey", () => {
  test.each([
    ["", 16, 0],
    ["A-17", 16, 10],
    ["customer:42", 16, 0],
    ["日本", 16, 12],
  ] as const)("of %j among %i is %i", (key, partitions, partition) => {
    expect(partitionOfKey(key, partitions)).toBe(partition);
  });

  test("spreads keys evenly", () => {
    const counts = Array.from({ length: 16 }, () => 0);
    for (let n = 0; n < 100_000; n++) {
      const partition = partitionOfKey(`customer:${n}`, 16);
      counts[partition] = (counts[partition] ?? 0) + 1;
    }
    expect((Math.max(...counts) * 16) / 100_000).toBeLessThan(1.06);
  });
});

test("the count is written beside the logical stream", () => {
  expect(partitionsKey("shop:orders")).toBe("rb:{shop:orders}:partitions");
});
