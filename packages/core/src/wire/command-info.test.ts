import { expect, test } from "vitest";
import { commandInfo } from "./command-info.ts";

test("asks for every name at once", () => {
  expect(commandInfo.encode({ names: ["xackdel", "xnack"] })).toEqual(["INFO", "xackdel", "xnack"]);
});

test("nil, and the empty list that some servers send instead, mean that the command is not known", () => {
  const known = [Buffer.from("xadd"), -5, []];
  expect(commandInfo.decode([known, null, []], { names: ["xadd", "xackdel", "xnack"] })).toEqual([true, false, false]);
});
