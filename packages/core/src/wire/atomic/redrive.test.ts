import { expect, test } from "vitest";
import { ReplyShapeError } from "../../errors/errors.ts";
import { redrive } from "./redrive.ts";

const options = { stream: "s", group: "g", id: "7-0", ifTrimmed: "skip" } as const;

test("touches the stream and the group's dead letters", () => {
  expect(redrive.keys(options)).toEqual(["s", "rb:{s}:dead:s:g"]);
});

test("says what becomes of a letter whose entry is gone", () => {
  expect(redrive.encode(options)).toEqual(["g", "7-0", "skip"]);
  expect(redrive.encode({ ...options, ifTrimmed: "add" }).at(-1)).toBe("add");
});

test("reports the result of the letter", () => {
  expect(redrive.decode([Buffer.from("redriven"), Buffer.from("1-1")], options)).toEqual({
    ...{ kind: "redriven", entryId: "1-1" },
  });
  expect(redrive.decode(["added", "9-0"], options)).toEqual({ kind: "added", entryId: "9-0" });
  expect(redrive.decode(["missing"], options)).toEqual({ kind: "missing" });
});

test.each(["entry-trimmed", "pending", "not-read", "not-a-letter"])("says why nothing changed: %s", (why) => {
  expect(redrive.decode([why], options)).toEqual({ kind: "skipped", why });
});

test.each([[["redriven"]], [["dead-lettered", "1-1"]], [[]], [[null]], [7]])("%o is a surprise", (reply) => {
  expect(() => redrive.decode(reply, options)).toThrow(ReplyShapeError);
});
