import { expect, test } from "vitest";
import { recoverOwn } from "./recover-own.ts";

const options = { stream: "s", group: "g", consumer: "c", ids: ["10-0", "9-0"] };

test("sends the ids in stream order", () => {
  expect(recoverOwn.keys(options)).toEqual(["s"]);
  expect(recoverOwn.encode(options)).toEqual(["g", "c", "9-0", "10-0"]);
});

test("reads what was delivered again, with its count and raw fields, and what has vanished", () => {
  const fields = [Buffer.from("f"), Buffer.from([0, 255])];
  expect(recoverOwn.decode([[[Buffer.from("9-0"), 3, fields]], [Buffer.from("10-0")]], options)).toEqual({
    entries: [{ id: "9-0", deliveries: 3, fields }],
    vanished: ["10-0"],
  });
  expect(recoverOwn.decode([[], []], options)).toEqual({ entries: [], vanished: [] });
});
