import { expect, test } from "vitest";
import { ReplyShapeError } from "../../errors/errors.ts";
import { ackOwned } from "./ack-owned.ts";

const options = { stream: "s", group: "g", consumer: "c", ids: ["10-0", "2-0", "9-0"] };

test("sends the ids in stream order", () => {
  expect(ackOwned.keys(options)).toEqual(["s"]);
  expect(ackOwned.encode(options)).toEqual(["g", "c", "2-0", "9-0", "10-0"]);
});

test("matches the reply to the ids in stream order", () => {
  expect(ackOwned.decode([1, 0, 1], options)).toEqual({ acknowledged: ["2-0", "10-0"], notOwned: ["9-0"] });
});

test.each([[[]], [[1, 1]], [[1, 1, 2]], [[1, 1, null]]])(
  "%o for three ids is a surprise, not a lost ownership",
  (reply) => {
    expect(() => ackOwned.decode(reply, options)).toThrow(ReplyShapeError);
  },
);
