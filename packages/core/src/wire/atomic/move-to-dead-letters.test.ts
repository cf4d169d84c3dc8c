import { expect, test } from "vitest";
import { ReplyShapeError } from "../../errors/errors.ts";
import { moveToDeadLetters } from "./move-to-dead-letters.ts";

const options = { stream: "s", group: "g", consumer: "c", id: "1-1", reason: "invalid", error: "boom" };

test("touches the stream and the group's dead letters", () => {
  expect(moveToDeadLetters.keys(options)).toEqual(["s", "rb:{s}:dead:s:g"]);
  expect(moveToDeadLetters.encode(options)).toEqual(["g", "c", "1-1", "invalid", "boom"]);
});

test("reports the result of the message", () => {
  expect(moveToDeadLetters.decode([1, Buffer.from("7-0")], options)).toEqual({ kind: "dead-lettered", deadId: "7-0" });
  expect(moveToDeadLetters.decode([0], options)).toEqual({ kind: "not-owned" });
  expect(moveToDeadLetters.decode([-1], options)).toEqual({ kind: "trimmed" });
});

test.each([[[2]], [[1]], [[]]])("%o is a surprise", (reply) => {
  expect(() => moveToDeadLetters.decode(reply, options)).toThrow(ReplyShapeError);
});
