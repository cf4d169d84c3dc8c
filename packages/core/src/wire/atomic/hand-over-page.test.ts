import { expect, test } from "vitest";
import { ReplyShapeError } from "../../errors/errors.ts";
import { handOverPage } from "./hand-over-page.ts";

const options = {
  ...{ stream: "s", group: "g", from: "dead", to: "alive", after: null, count: 3 },
  ...{ foreignIdleMs: 600_000, toUnregistered: false },
};
const reply = (...items: (string | number)[]) =>
  items.map((item) => (typeof item === "string" ? Buffer.from(item) : item));

test("touches the stream and the group's registry", () => {
  expect(handOverPage.keys(options)).toEqual(["s", "rb:{s}:consumers:s:g"]);
});

test("begins at the first entry, or behind one", () => {
  expect(handOverPage.encode(options)).toEqual(["g", "dead", "alive", 600_000, "", "", "-", 3]);
  const next = handOverPage.encode({ ...options, toUnregistered: true, seenAtMs: 5, after: "9-1" });
  expect(next).toEqual(["g", "dead", "alive", 600_000, "any", 5, "(9-1", 3]);
});

test("reports the result of the page, and where the next one begins", () => {
  const page = handOverPage.decode(reply("moved", "9-3", 1, 1, 1), options);
  expect(page).toEqual({ kind: "moved", moved: 1, recent: 1, trimmed: 1, lastId: "9-3" });
});

test.each([
  ["a page that is not full", reply("moved", "9-2", 2, 0, 0), 2],
  ["an empty one", reply("moved", "", 0, 0, 0), 0],
])("%s is the last", (_, last, moved) => {
  expect(handOverPage.decode(last, options)).toEqual({ kind: "moved", moved, recent: 0, trimmed: 0, lastId: null });
});

test.each(["owner-alive", "target-unknown", "target-silent"])("says why nothing moved: %s", (why) => {
  expect(handOverPage.decode(reply(why), options)).toEqual({ kind: "refused", why });
});

test.each([[[]], [["gone"]], [["moved"]], [["moved", "9-1", 1, 0]]])("%o is a surprise", (surprise) => {
  expect(() => handOverPage.decode(surprise, options)).toThrow(ReplyShapeError);
});
