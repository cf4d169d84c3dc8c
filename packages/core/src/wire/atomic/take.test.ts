import { expect, test } from "vitest";
import { take } from "./take.ts";

const options = {
  ...{ stream: "s", group: "g", consumer: "c", after: null, scan: 1_000, count: 10, maxBytes: 5_000 },
  ...{ suspectFrom: 9, suspects: 1, notWanted: ["1-1", "2-1"] },
};

test("touches the stream only, and sends what is wanted and what is not", () => {
  expect(take.keys(options)).toEqual(["s"]);
  expect(take.encode(options)).toEqual(["g", "c", "", 1_000, 10, 5_000, 9, 1, "1-1", "2-1"]);
  expect(take.encode({ ...options, after: "7-0" })[2]).toBe("7-0");
});

test("without suspects sends no number for them", () => {
  expect(take.encode({ ...options, suspectFrom: Number.POSITIVE_INFINITY })[6]).toBe("");
});

test("reads what was taken, what has trimmed, and where the next look begins", () => {
  const fields = [Buffer.from("f"), Buffer.from([0, 255])];
  expect(take.decode([[[Buffer.from("9-0"), 3, fields]], [Buffer.from("8-0")], Buffer.from("9-0")], options)).toEqual({
    entries: [{ id: "9-0", deliveries: 3, fields }],
    trimmed: ["8-0"],
    next: "9-0",
  });
  expect(take.decode([[], [], Buffer.from("")], options)).toEqual({ entries: [], trimmed: [], next: null });
});
