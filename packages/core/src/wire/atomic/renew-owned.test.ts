import { expect, test } from "vitest";
import { ReplyShapeError } from "../../errors/errors.ts";
import { renewOwned } from "./renew-owned.ts";

const options = { stream: "s", group: "g", consumer: "c", ids: ["10-0", "2-0", "9-0"] };

test("sends the ids in stream order", () => {
  expect(renewOwned.keys(options)).toEqual(["s"]);
  expect(renewOwned.encode(options)).toEqual(["g", "c", "2-0", "9-0", "10-0"]);
});

test("says of each id whether it was kept, taken or has trimmed", () => {
  expect(renewOwned.decode([1, 0, -1], options)).toEqual(
    new Map([
      ["2-0", "kept"],
      ["9-0", "taken"],
      ["10-0", "trimmed"],
    ]),
  );
});

test.each([[[1, 1]], [[1, 1, 2]]])("%o for three ids is a surprise", (reply) => {
  expect(() => renewOwned.decode(reply, options)).toThrow(ReplyShapeError);
});
