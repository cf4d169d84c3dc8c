import { ManualClock } from "@redis-batch/test-support";
import { expect, it } from "vitest";
import { DueReleaser } from "./due-releaser.ts";

it("rests when delays cannot be kept in Redis any more, however much was due", async () => {
  const clock = new ManualClock();
  const due = Array.from({ length: 1_000 }, (_, index) => ({ id: `1-${index}` as const, atMs: 0 }));
  let canPutOff = true;
  let released = 0;
  const releaser = new DueReleaser({
    policy: { stream: "orders", group: "billing" },
    client: {
      readDue: async () => ({ due, nextInMs: null }),
      release: async ({ offered }) => {
        released += offered.length;
        canPutOff = false;
        return { moved: offered.length, vanished: [] };
      },
      forgetDue: async () => due.length,
    },
    clock,
    random: () => 1,
    report: () => {},
    canPutOff: () => canPutOff,
    onReleased: () => {},
  });
  releaser.start();
  await clock.advance(10_000);
  expect(released).toBe(1_000);
  await releaser.stop();
});
