import { expect, test } from "vitest";
import { ReplyShapeError } from "../../errors.ts";
import { removeIfEmpty } from "./remove-if-empty.ts";

const options = { stream: "s", group: "g", consumer: "c", onlyIfSilent: true };

test("touches the stream and the group's registry", () => {
  expect(removeIfEmpty.keys(options)).toEqual(["s", "rb:{s}:consumers:s:g"]);
});

test("says whether a fresh heartbeat forbids it", () => {
  expect(removeIfEmpty.encode(options)).toEqual(["g", "c", "silent"]);
  expect(removeIfEmpty.encode({ ...options, onlyIfSilent: false })).toEqual(["g", "c", ""]);
});

test("says what became of the consumer", () => {
  for (const word of ["removed", "pending", "alive"]) {
    expect(removeIfEmpty.decode(Buffer.from(word), options)).toBe(word);
  }
  expect(() => removeIfEmpty.decode("gone", options)).toThrow(ReplyShapeError);
});
