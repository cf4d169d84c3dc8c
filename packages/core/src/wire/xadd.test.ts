import { expect, test } from "vitest";
import { xadd } from "./xadd.ts";

const fields = ["name", Buffer.from([0, 255]), "n", 7];

test("lets the server choose the id and keeps the fields as they are", () => {
  expect(xadd.encode({ stream: "s", fields })).toEqual(["s", "*", ...fields]);
});

test.each([
  [{ strategy: "maxLen", threshold: 100, approximate: true }, ["MAXLEN", "~", 100]],
  [{ strategy: "maxLen", threshold: 0, approximate: false }, ["MAXLEN", "=", 0]],
  [{ strategy: "minId", threshold: "5-0", approximate: true }, ["MINID", "~", "5-0"]],
  [{ strategy: "minId", threshold: "5-0", approximate: false }, ["MINID", "=", "5-0"]],
] as const)("trims as told: %o", (trim, words) => {
  expect(xadd.encode({ stream: "s", fields, trim })).toEqual(["s", ...words, "*", ...fields]);
});

test("replies the new entry's id", () => {
  expect(xadd.decode(Buffer.from("1-2"), { stream: "s", fields })).toBe("1-2");
});
