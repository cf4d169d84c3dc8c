import { expect, test } from "vitest";
import { ReplyShapeError } from "../../errors/errors.ts";
import { deleteIfAllGroupsDone } from "./delete-if-all-groups-done.ts";

const options = { stream: "s", group: "g", consumer: "c", ids: ["10-0", "2-0", "9-0"] };

test("sends the ids in stream order", () => {
  expect(deleteIfAllGroupsDone.keys(options)).toEqual(["s"]);
  expect(deleteIfAllGroupsDone.encode(options)).toEqual(["g", "c", "2-0", "9-0", "10-0"]);
});

test("reports the result of each id", () => {
  expect(deleteIfAllGroupsDone.decode([1, 2, 0], options)).toEqual(
    new Map([
      ["2-0", "deleted"],
      ["9-0", "kept"],
      ["10-0", "not-owned"],
    ]),
  );
});

test.each([[[1, 1]], [[1, 1, 3]]])("%o for three ids is a surprise", (reply) => {
  expect(() => deleteIfAllGroupsDone.decode(reply, options)).toThrow(ReplyShapeError);
});
