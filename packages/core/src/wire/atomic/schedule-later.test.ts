import { expect, test } from "vitest";
import { scheduleLater } from "./schedule-later.ts";

const address = { stream: "s", group: "g" };

test("touches the group's times only, and sends whole milliseconds", () => {
  const options = {
    ...address,
    delays: [
      { id: "1-1", delayMs: 0 },
      { id: "2-1", delayMs: 1_000.2 },
    ],
  };
  expect(scheduleLater.keys(options)).toEqual(["rb:{s}:due:s:g"]);
  expect(scheduleLater.encode(options)).toEqual(["1-1", 0, "2-1", 1_001]);
});

test("goes through any number of messages in parts of a thousand", () => {
  const delays = Array.from({ length: 2_001 }, (_, index) => ({ id: `${index}-1`, delayMs: index }));
  const parts = scheduleLater.split({ ...address, delays });
  expect(parts.map((part) => part.delays.length)).toEqual([1_000, 1_000, 1]);
  expect(parts.flatMap((part) => part.delays)).toEqual(delays);
  expect(scheduleLater.split({ ...address, delays: [] })).toEqual([]);
});
