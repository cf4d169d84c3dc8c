import { expect, it } from "vitest";
import { inTurns } from "./in-turns.ts";

it("works on a few items at the same time, and keeps their order", async () => {
  let atWork = 0;
  let most = 0;
  const results = await inTurns([5, 4, 3, 2, 1], 2, async (item) => {
    most = Math.max(most, ++atWork);
    for (let turn = 0; turn < item; turn++) await Promise.resolve();
    atWork--;
    return item * 10;
  });
  expect([results, most]).toEqual([[50, 40, 30, 20, 10], 2]);
});

it("begins nothing more after a failure: without a connection a thousand streams would each wait for one", async () => {
  const begun: number[] = [];
  const working = inTurns([1, 2, 3, 4, 5, 6], 2, async (item) => {
    begun.push(item);
    await Promise.resolve();
    if (item === 2) throw new Error("no connection");
  });
  await expect(working).rejects.toThrow("no connection");
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
  expect(begun.length).toBeLessThan(5);
});
