import { expect, test } from "vitest";
import { ReplyShapeError } from "../../errors.ts";
import { bury } from "./bury.ts";

const options = { stream: "s", group: "g", consumer: "c", id: "1-1", reason: "invalid", error: "boom" };

test("touches the stream and the group's dead letters", () => {
  expect(bury.keys(options)).toEqual(["s", "rb:{s}:dead:s:g"]);
  expect(bury.encode(options)).toEqual(["g", "c", "1-1", "invalid", "boom"]);
});

test("says what became of the message", () => {
  expect(bury.decode([1, Buffer.from("7-0")], options)).toEqual({ kind: "buried", deadId: "7-0" });
  expect(bury.decode([0], options)).toEqual({ kind: "not-owned" });
  expect(bury.decode([-1], options)).toEqual({ kind: "vanished" });
});

test.each([[[2]], [[1]], [[]]])("%o is a surprise", (reply) => {
  expect(() => bury.decode(reply, options)).toThrow(ReplyShapeError);
});
