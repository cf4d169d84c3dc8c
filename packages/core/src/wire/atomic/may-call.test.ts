import { expect, test } from "vitest";
import { ReplyShapeError } from "../../errors/errors.ts";
import { mayCall } from "./may-call.ts";

const commands = [["XACKDEL", "s"], ["TIME"]] as const;

test("keeps the words of one command apart from those of the next", () => {
  expect(mayCall.keys({ commands })).toEqual([]);
  expect(mayCall.encode({ commands })).toEqual([2, "XACKDEL", "s", 1, "TIME"]);
});

test("reads an answer for each, or that there is none", () => {
  expect(mayCall.decode([1, 0], { commands })).toEqual([true, false]);
  expect(mayCall.decode(null, { commands })).toBeNull();
  expect(() => mayCall.decode(["yes"], { commands })).toThrow(ReplyShapeError);
});
