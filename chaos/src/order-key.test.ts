import { seededRandom } from "@redis-batch/test-support";
import { expect, test } from "vitest";
import { orderKeyOf } from "./order-key.ts";

test("there are 200 keys, and a few of them have much more to do than the others", () => {
  const random = seededRandom(1);
  const counts = new Map<string, number>();
  for (let drawn = 0; drawn < 20_000; drawn++) {
    const key = orderKeyOf(random.next());
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  const [cold, hot] = [[], []] as [number[], number[]];
  for (const [key, count] of counts) (key.startsWith("hot") ? hot : cold).push(count);
  expect([hot.length, cold.length]).toEqual([4, 196]);
  expect(Math.min(...hot)).toBeGreaterThan(4 * Math.max(...cold));
});
