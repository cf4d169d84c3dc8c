import { expect, it } from "vitest";
import { describeIntake } from "./held-intake.ts";

it.each([
  ["paused", "PAUSED"],
  ["group-paused", "PAUSED"],
  ["draining", "DRAINING"],
  ["backing-off", "BACKING OFF"],
  ["probing", "BACKING OFF"],
  ["unfit", "FAILING"],
  ["held-too-long", "STALLED"],
  ["deferred", "HELD UP"],
  ["rate-limited", "OK"],
  ["server-away", "HELD UP"],
  ["ahead-of-stream", "HELD UP"],
])("tells %s as %s", (name, status) => {
  expect(describeIntake(name)?.status).toBe(status);
});

it("says nothing of an open intake, nor of one that is not told, and the name of one that it does not know", () => {
  expect(describeIntake("open")).toBeNull();
  expect(describeIntake(null)).toBeNull();
  expect(describeIntake("out-to-lunch")).toEqual({ status: "HELD UP", meaning: "takes no messages: out-to-lunch" });
});
