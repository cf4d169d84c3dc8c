import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { afterBatch, afterSuccessElsewhere, FIT } from "./fitness.ts";

const anyStep = fc.oneof(
  fc.record({
    kind: fc.constant("batch" as const),
    failed: fc.integer({ min: 0, max: 5 }),
    hasSucceeded: fc.boolean(),
  }),
  fc.record({ kind: fc.constant("elsewhere" as const), messages: fc.integer({ min: 1, max: 5 }) }),
);

describe("fitness", () => {
  it("is lost by a consumer that fails three times on what others then acknowledge", () => {
    const failing = afterBatch(afterBatch(FIT, 1, false), 2, false);
    expect(failing.isUnfit).toBe(false);
    expect(afterSuccessElsewhere(failing, 1)).toEqual({ failures: 3, succeededElsewhere: 1, isUnfit: true });
  });

  it("is not lost by a single failure that another consumer makes good: that is what retries are for", () => {
    expect(afterSuccessElsewhere(afterBatch(FIT, 1, false), 1).isUnfit).toBe(false);
    expect(afterSuccessElsewhere(afterBatch(FIT, 2, false), 2).isUnfit).toBe(false);
  });

  it("is not lost while what fails here succeeds nowhere: then it is the messages, or what they are written to", () => {
    expect(afterBatch(FIT, 1_000, false).isUnfit).toBe(false);
  });

  it("comes back with one success, whatever was before", () => {
    fc.assert(
      fc.property(fc.array(anyStep), fc.integer({ min: 0, max: 5 }), (steps, failed) => {
        let fitness = FIT;
        for (const step of steps) {
          if (step.kind === "batch") fitness = afterBatch(fitness, step.failed, step.hasSucceeded);
          else fitness = afterSuccessElsewhere(fitness, step.messages);
        }
        expect(afterBatch(fitness, failed, true)).toEqual(FIT);
      }),
    );
  });

  it("is lost only by three failures and a success elsewhere since the last success here", () => {
    fc.assert(
      fc.property(fc.array(anyStep), (steps) => {
        let fitness = FIT;
        let [failures, elsewhere] = [0, 0];
        for (const step of steps) {
          if (step.kind === "elsewhere") {
            fitness = afterSuccessElsewhere(fitness, step.messages);
            elsewhere += step.messages;
          } else {
            fitness = afterBatch(fitness, step.failed, step.hasSucceeded);
            [failures, elsewhere] = step.hasSucceeded ? [0, 0] : [failures + step.failed, elsewhere];
          }
          expect(fitness.isUnfit).toBe(failures >= 3 && elsewhere > 0);
        }
      }),
    );
  });
});
