import { expect, test } from "vitest";
import { redeliverOwn } from "./redeliver-own.ts";

const messages = [
  { id: "10-0", deliveries: 2 },
  { id: "9-0", deliveries: Number.MAX_VALUE },
];
const options = { stream: "s", group: "g", consumer: "c", messages };

test("sends each id with its count, in stream order", () => {
  expect(redeliverOwn.keys(options)).toEqual(["s"]);
  expect(redeliverOwn.encode(options)).toEqual(["g", "c", "9-0", Number.MAX_SAFE_INTEGER, "10-0", 2]);
});

test("reads what was delivered again, with its count and raw fields, and what has trimmed", () => {
  const fields = [Buffer.from("f"), Buffer.from([0, 255])];
  expect(redeliverOwn.decode([[[Buffer.from("9-0"), 3, fields]], [Buffer.from("10-0")]], options)).toEqual({
    entries: [{ id: "9-0", deliveries: 3, fields }],
    trimmed: ["10-0"],
  });
  expect(redeliverOwn.decode([[], []], options)).toEqual({ entries: [], trimmed: [] });
});
