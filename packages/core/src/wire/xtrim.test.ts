import { expect, test } from "vitest";
import { xtrim } from "./xtrim.ts";

test("says what to keep and replies how many were dropped", () => {
  const options = { stream: "s", trim: { strategy: "minId", threshold: "5-0", approximate: true } } as const;
  expect(xtrim.encode(options)).toEqual(["s", "MINID", "~", "5-0"]);
  expect(xtrim.decode(4, options)).toBe(4);
});
