import * as fc from "fast-check";
import { expect, test } from "vitest";
import { compareEntryIds } from "../names/entry-id.ts";
import type { StreamEntry } from "../wire/entry.ts";
import { FIRST_PAGE, LARGEST_PAGE, scan } from "./scan.ts";

const MAX = 2n ** 64n - 1n;

/** A stream of entries of these sizes, and how it was read. */
function stream(sizes: readonly number[], firstSequence = 0n) {
  const entries = sizes.map((size, index) => ({
    id: `5-${firstSequence + BigInt(index)}`,
    fields: [Buffer.alloc(0), Buffer.alloc(size)],
  }));
  const counts: number[] = [];
  const read = async (from: string, count: number): Promise<readonly StreamEntry[]> => {
    counts.push(count);
    return entries.filter(({ id }) => compareEntryIds(id, from) >= 0).slice(0, count);
  };
  return { entries, counts, read };
}

async function idsOf(pages: AsyncIterable<readonly StreamEntry[]>): Promise<string[]> {
  const ids: string[] = [];
  for await (const page of pages) ids.push(...page.map(({ id }) => id));
  return ids;
}

test("visits every entry once and in order, and no page is too large", async () => {
  const sizes = fc.array(fc.constantFrom(0, 10, 50_000, 5_000_000), { maxLength: 60 });
  await fc.assert(
    fc.asyncProperty(sizes, fc.integer({ min: 1, max: 150 }), async (all, most) => {
      const { entries, counts, read } = stream(all.map((size) => Math.min(size, 100_000)));
      expect(await idsOf(scan(read, "0-0", most))).toEqual(entries.map(({ id }) => id));
      expect(Math.max(...counts)).toBeLessThanOrEqual(Math.min(most, LARGEST_PAGE));
    }),
    { numRuns: 50 },
  );
});

test("pages grow where letters are small, and shrink where they are large", async () => {
  const small = stream(Array.from({ length: 150 }, () => 100));
  await idsOf(scan(small.read, "0-0"));
  expect(small.counts).toEqual([FIRST_PAGE, LARGEST_PAGE, LARGEST_PAGE]);
  const large = stream(Array.from({ length: 12 }, () => 3_000_000));
  await idsOf(scan(large.read, "0-0"));
  expect(large.counts).toEqual([FIRST_PAGE, 1, 1, 1]);
});

test("begins where it is told to, and ends after the last id that there can be", async () => {
  const { entries, read } = stream(Array.from({ length: 10 }, () => 1));
  expect(await idsOf(scan(read, "5-4"))).toEqual(entries.slice(4).map(({ id }) => id));
  const last = { id: `${MAX}-${MAX}`, fields: [] };
  expect(await idsOf(scan(async () => [last], "0-0", 1))).toEqual([last.id]);
});

test.each([
  ["small", 10, [1, 100, 100]],
  ["large", 16_384, [1, 4, 4]],
])("pages of 64 scans together have what one page may have: %s entries", async (_, bytes, expected) => {
  const counts: number[] = [];
  const read = (from: string, count: number) => {
    counts.push(count);
    const first = Number(from.split("-", 1)[0]) + 1;
    const fields = [Buffer.alloc(bytes)];
    return Promise.resolve(Array.from({ length: count }, (__, n) => ({ id: `${first + n}-0`, fields })));
  };
  const pages = scan(read, "0-0", 100, undefined, 64);
  for (let page = 0; page < expected.length; page++) await pages.next();
  expect(counts).toEqual(expected);
});
