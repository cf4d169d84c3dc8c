import { expect, test } from "vitest";
import { ReplyShapeError } from "../errors/errors.ts";
import { xackdel } from "./xackdel.ts";

const options = { stream: "s", group: "g", ids: ["1-0", "2-0", "3-0"] };

test("asks to delete only what every group has acknowledged", () => {
  expect(xackdel.encode(options)).toEqual(["s", "g", "ACKED", "IDS", 3, "1-0", "2-0", "3-0"]);
});

test("tells what was deleted, what another group still needs, and what was not pending", () => {
  expect([...xackdel.decode([1, 2, -1], options)]).toEqual([
    ["1-0", "deleted"],
    ["2-0", "kept"],
    ["3-0", "not-owned"],
  ]);
});

test("is surprised by another code, or another number of them", () => {
  expect(() => xackdel.decode([1, 2, 7], options)).toThrow(ReplyShapeError);
  expect(() => xackdel.decode([1], options)).toThrow(ReplyShapeError);
});
