import { expect, it } from "vitest";
import { describeDuration } from "./duration.ts";

it.each([
  [-5, "0 ms"],
  [1_999, "1999 ms"],
  [2_000, "2 s"],
  [119_999, "119 s"],
  [120_000, "2 min"],
  [7_200_000, "2 h"],
  [172_800_000, "2 d"],
])("%i ms are %s", (ms, text) => {
  expect(describeDuration(ms)).toBe(text);
});
