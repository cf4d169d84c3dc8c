import { expect, test } from "vitest";
import { toErrorInfo } from "./error-info.ts";
import { NoGroupError } from "./errors.ts";

test("tells the code and the text of an error, and of anything else that was thrown", () => {
  expect(toErrorInfo(new NoGroupError("gone"))).toEqual({ code: "NO_GROUP", message: "gone" });
  expect(toErrorInfo(new TypeError("no"))).toEqual({ code: "UNKNOWN", message: "no" });
  expect(toErrorInfo("odd")).toEqual({ code: "UNKNOWN", message: "odd" });
});
