import { deferred } from "@redis-batch/test-support";
import { expect, it } from "vitest";
import { inParallel } from "./in-parallel.ts";

it("has at most that many under way, and the results in the order of the items", async () => {
  const gates = [0, 1, 2, 3, 4].map(() => deferred<number>());
  const begun: number[] = [];
  const done = inParallel([0, 1, 2, 3, 4], 2, (item) => {
    begun.push(item);
    return gates[item]?.promise ?? Promise.resolve(-1);
  });
  expect(begun).toEqual([0, 1]);
  gates[1]?.resolve(10);
  await gates[1]?.promise;
  await Promise.resolve();
  expect(begun).toEqual([0, 1, 2]);
  for (const [item, gate] of gates.entries()) gate.resolve(item * 10);
  expect(await done).toEqual([0, 10, 20, 30, 40]);
});

it("does nothing where there is nothing, and fails with the first failure", async () => {
  expect(await inParallel([], 3, () => Promise.resolve(1))).toEqual([]);
  const failing = inParallel([1, 2], 1, (item) => Promise.reject(new Error(`no ${item}`)));
  await expect(failing).rejects.toThrow("no 1");
});
