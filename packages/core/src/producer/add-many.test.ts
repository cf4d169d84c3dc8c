import { ManualClock } from "@redis-batch/test-support";
import { expect, test } from "vitest";
import { PayloadError } from "../errors/errors.ts";
import type { AddResult } from "./add-each.ts";
import { type AddManyProgress, summarize } from "./add-many.ts";

const error = new PayloadError("bad");

type Visit = (result: AddResult) => void;

const resultsOf =
  (...results: AddResult[]) =>
  async (visit: Visit): Promise<void> =>
    results.forEach(visit);

test("counts what became of each item, and gives the ids at both ends", async () => {
  const results = resultsOf(
    { index: 0, kind: "added", id: "1-0", duplicate: true },
    { index: 1, kind: "added", id: "5-0", duplicate: false },
    { index: 2, kind: "failed", error },
    { index: 3, kind: "added", id: "6-0", duplicate: false },
  );
  expect(await summarize(results, new ManualClock(), undefined)).toEqual({
    ...{ added: 2, duplicates: 1, failed: 1, firstId: "5-0", lastId: "6-0" },
    failures: [{ index: 2, error }],
  });
});

test("nothing to add gives no ids", async () => {
  expect(await summarize(resultsOf(), new ManualClock(), undefined)).toEqual({
    ...{ added: 0, duplicates: 0, failed: 0, firstId: null, lastId: null, failures: [] },
  });
});

test("lists a hundred failures and counts all", async () => {
  const results = Array.from({ length: 250 }, (_, index): AddResult => ({ index, kind: "failed", error }));
  const { failed, failures } = await summarize(resultsOf(...results), new ManualClock(), undefined);
  expect(failed).toBe(250);
  expect(failures.map(({ index }) => index)).toEqual(Array.from({ length: 100 }, (_, index) => index));
});

test("reports progress at most every 100 ms, and at the end", async () => {
  const clock = new ManualClock();
  const results = async (visit: Visit): Promise<void> => {
    for (let index = 0; index < 10; index++) {
      await clock.advance(30);
      visit({ index, kind: "added", id: `${index}-0`, duplicate: false });
    }
  };
  const seen: number[] = [];
  await summarize(results, clock, ({ added }) => seen.push(added));
  expect(seen).toEqual([4, 8, 10]);
});

test("reports progress once more when the source fails", async () => {
  const results = async (visit: Visit): Promise<void> => {
    visit({ index: 0, kind: "failed", error });
    throw new Error("disk");
  };
  const seen: AddManyProgress[] = [];
  await expect(summarize(results, new ManualClock(), (progress) => seen.push(progress))).rejects.toThrow("disk");
  expect(seen).toEqual([{ added: 0, duplicates: 0, failed: 1 }]);
});
