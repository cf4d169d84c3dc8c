import { expect, test } from "vitest";
import { serverStalls } from "./server-stalls.ts";

test("the server was frozen while a look took long", () => {
  const lines = [
    { t: 1_000, changes: [] },
    { t: 2_000, changes: [], tookMs: 90 },
    { t: 3_000, changes: [], tookMs: 800 },
    { t: 4_200, changes: [], tookMs: 150 },
  ];
  expect(serverStalls(lines)).toEqual([
    { fromMs: 2_200, toMs: 3_000 },
    { fromMs: 4_050, toMs: 4_200 },
  ]);
});
