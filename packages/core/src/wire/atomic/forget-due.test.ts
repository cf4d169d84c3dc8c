import { expect, test } from "vitest";
import { forgetDue } from "./forget-due.ts";

const address = { stream: "s", group: "g" };

test("touches the group's times only, and sends each with the time that was seen", () => {
  const options = { ...address, due: [{ id: "1-1", atMs: 1_700_000_000_123 }] };
  expect(forgetDue.keys(options)).toEqual(["rb:{s}:due:s:g"]);
  expect(forgetDue.encode(options)).toEqual(["1-1", 1_700_000_000_123]);
  expect(forgetDue.decode(1, options)).toBe(1);
});

test("goes through any number in parts of a thousand, and adds up", () => {
  const due = Array.from({ length: 1_500 }, (_, index) => ({ id: `${index}-1`, atMs: index }));
  const parts = forgetDue.split({ ...address, due });
  expect(parts.map((part) => part.due.length)).toEqual([1_000, 500]);
  expect(forgetDue.merge([1_000, 498])).toBe(1_498);
  expect(forgetDue.merge([])).toBe(0);
});
