import { describe, expect, it } from "vitest";
import { addBatch, NO_WORK, parseWorkCounters } from "./work-counters.ts";

describe("work counters", () => {
  const work = addBatch(addBatch({ ...NO_WORK, delivered: 7 }, 3, 10), 4, 20);

  it("sum up batches, their times, and the products that tell how one depends on the other", () => {
    expect(work).toEqual({
      ...{ delivered: 7, batches: 2, processed: 7, busyMs: 30 },
      ...{ sizeSquared: 25, sizeTimesBusyMs: 110, busyMsSquared: 500 },
    });
  });

  it("are read as they were written, without what else is there", () => {
    expect(parseWorkCounters(JSON.parse(JSON.stringify({ ...work, colour: 1 })))).toEqual(work);
  });

  it.each([null, 1, {}, { ...work, batches: "2" }, { ...work, busyMs: -1 }])("are not read from %o", (value) => {
    expect(parseWorkCounters(value)).toBeNull();
  });
});
