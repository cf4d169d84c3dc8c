import { expect, test } from "vitest";
import { pauseGroup } from "./pause-group.ts";

const options = { stream: "s", group: "g", pause: { by: "anna", reason: null, forMs: 1_000 } };

test("touches the group's registry, and says who pauses it and for how long", () => {
  expect(pauseGroup.keys(options)).toEqual(["rb:{s}:consumers:s:g"]);
  expect(pauseGroup.encode(options)).toEqual(['{"v":1,"by":"anna","reason":null}', 1_000]);
  const { pause, ...address } = options;
  expect(pauseGroup.encode({ ...address, pause: { ...pause, forMs: null } })[1]).toBe("");
  expect(pauseGroup.encode({ ...address, pause: null })).toEqual(["", ""]);
});

test("reads which pause there was, and which there is", () => {
  const now = '{"at":7,"until":9,"v":1,"by":"anna","reason":"a new version"}';
  expect(pauseGroup.decode([7, Buffer.from(""), Buffer.from(now)], options)).toEqual({
    atMs: 7,
    before: null,
    now: { by: "anna", sinceMs: 7, untilMs: 9, reason: "a new version" },
  });
});

test("takes what it cannot read in full for a pause all the same", () => {
  expect(pauseGroup.decode([7, Buffer.from('{"v":2}'), Buffer.from("")], options)).toMatchObject({
    before: { by: "unknown", sinceMs: 0, untilMs: null, reason: null },
    now: null,
  });
});
