import { expect, test } from "vitest";
import { inStreamOrder } from "./own-messages.ts";

test("ids are put in stream order, which is not the order of their texts", () => {
  expect(inStreamOrder(["10-0", "9-10", "9-9"])).toEqual(["9-9", "9-10", "10-0"]);
});

test("the caller's list is left alone", () => {
  const ids = ["2-0", "1-0"];
  inStreamOrder(ids);
  expect(ids).toEqual(["2-0", "1-0"]);
});
