import { expect, test } from "vitest";
import { ReplyShapeError } from "../../errors/errors.ts";
import { removeIfEmpty } from "./remove-if-empty.ts";

const options = { stream: "s", group: "g", consumer: "c", onlyIfSilent: true };

test("touches the stream, the group's registry and its finalReports", () => {
  expect(removeIfEmpty.keys(options)).toEqual(["s", "rb:{s}:consumers:s:g", "rb:{s}:final-reports:s:g"]);
});

test("says whether a fresh heartbeat forbids it", () => {
  expect(removeIfEmpty.encode(options)).toEqual(["g", "c", "silent", "", ""]);
  expect(removeIfEmpty.encode({ ...options, onlyIfSilent: false })).toEqual(["g", "c", "", "", ""]);
  expect(removeIfEmpty.encode({ ...options, seenAtMs: 7 })).toEqual(["g", "c", "silent", "", 7]);
});

test("hands over what a leaving consumer tells last, as a heartbeat does", () => {
  const finalReport = { incarnation: "i", leaseMs: 5, details: { state: "draining" } };
  const told = '{"state":"draining","v":1,"incarnation":"i","leaseMs":5}';
  expect(removeIfEmpty.encode({ ...options, onlyIfSilent: false, finalReport })).toEqual(["g", "c", "", told, ""]);
});

test("reports the result for the consumer", () => {
  for (const word of ["removed", "pending", "alive", "reserved"]) {
    expect(removeIfEmpty.decode(Buffer.from(word), options)).toBe(word);
  }
  expect(() => removeIfEmpty.decode("gone", options)).toThrow(ReplyShapeError);
});
