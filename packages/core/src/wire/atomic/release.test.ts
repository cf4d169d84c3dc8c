import { expect, test } from "vitest";
import { RELEASED } from "../../names/reserved-consumers.ts";
import { release } from "./release.ts";

const options = {
  ...{ stream: "s", group: "g", from: "c", to: RELEASED },
  ...{ neverOffered: ["10-0", "9-0"], offered: ["8-0", "7-0", "6-0"] },
};

test("sends two lists, each in stream order, and where the second begins", () => {
  expect(release.keys(options)).toEqual(["s"]);
  expect(release.encode(options)).toEqual(["g", "c", "rb:released", 2, "9-0", "10-0", "6-0", "7-0", "8-0"]);
});

test("replies how many moved, and what was not there any more", () => {
  expect(release.decode([4, [Buffer.from("9-0")]], options)).toEqual({ moved: 4, trimmed: ["9-0"] });
});

test("goes through any number of ids in parts of a thousand", () => {
  const ids = (count: number, from: number) => Array.from({ length: count }, (_, index) => `${from + index}-0`);
  const many = { ...options, neverOffered: ids(1_001, 10_000), offered: ids(2_000, 20_000) };
  const parts = release.split(many);
  expect(parts.map(({ neverOffered, offered }) => [neverOffered.length, offered.length])).toEqual([
    ...[
      [1_000, 0],
      [1, 0],
      [0, 1_000],
      [0, 1_000],
    ],
  ]);
  expect(parts.flatMap(({ neverOffered }) => neverOffered)).toEqual(many.neverOffered);
  expect(parts.flatMap(({ offered }) => offered)).toEqual(many.offered);
  expect(release.split({ ...options, neverOffered: [], offered: [] })).toEqual([]);
  const results = [
    { moved: 2, trimmed: ["1-0"] },
    { moved: 3, trimmed: ["2-0"] },
  ];
  expect(release.merge(results)).toEqual({ moved: 5, trimmed: ["1-0", "2-0"] });
  expect(release.merge([])).toEqual({ moved: 0, trimmed: [] });
});
