import { expect, test } from "vitest";
import { ReplyShapeError } from "../errors/errors.ts";
import { decodeEntry } from "./entry.ts";

const bytes = (text: string): Buffer => Buffer.from(text);

test("keeps every field in order, duplicates and raw bytes included", () => {
  const raw = Buffer.from([0, 255, 254]);
  expect(decodeEntry([bytes("1-2"), [bytes("a"), raw, bytes("a"), bytes("")]], "XRANGE")).toEqual({
    id: "1-2",
    fields: [bytes("a"), raw, bytes("a"), bytes("")],
  });
});

test.each([
  ["no fields", [bytes("1-2")]],
  ["deleted fields", [bytes("1-2"), null]],
  ["half a pair", [bytes("1-2"), [bytes("hunter2")]]],
  ["no id", [null, []]],
  ["no entry", bytes("hunter2")],
])("an entry with %s is a surprise that is not quoted", (_, reply) => {
  expect(() => decodeEntry(reply, "XRANGE")).toThrow(ReplyShapeError);
  expect(() => decodeEntry(reply, "XRANGE")).not.toThrow("hunter2");
});
