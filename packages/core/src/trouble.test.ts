import { expect, test } from "vitest";
import { NoGroupError } from "./errors.ts";
import { describeTrouble } from "./trouble.ts";

test("tells the code and the text of an error, and of anything else that was thrown", () => {
  expect(describeTrouble(new NoGroupError("gone"))).toEqual({ code: "NO_GROUP", message: "gone" });
  expect(describeTrouble(new TypeError("no"))).toEqual({ code: "UNKNOWN", message: "no" });
  expect(describeTrouble("odd")).toEqual({ code: "UNKNOWN", message: "odd" });
});
