import { expect, test } from "vitest";
import { ReplyShapeError } from "../../errors/errors.ts";
import { trimToSafePoint } from "./trim-to-safe-point.ts";

const options = { stream: "s", dryRun: false };

test("touches the stream alone, and on a dry run nothing of it", () => {
  expect(trimToSafePoint.keys(options)).toEqual(["s"]);
  expect(trimToSafePoint.encode(options)).toEqual(["trim"]);
  expect(trimToSafePoint.encode({ ...options, dryRun: true })).toEqual(["look"]);
});

test("says how far, which group pins it, and how many entries were dropped", () => {
  expect(trimToSafePoint.decode([Buffer.from("5-1"), Buffer.from("billing"), 7], options)).toEqual({
    ...{ safeId: "5-1", pinnedBy: "billing", dropped: 7 },
  });
  expect(trimToSafePoint.decode([], options)).toBeNull();
});

test.each([[null], [["5-1"]], [["5-1", "billing", "many"]]])("%o is a surprise", (reply) => {
  expect(() => trimToSafePoint.decode(reply, options)).toThrow(ReplyShapeError);
});
