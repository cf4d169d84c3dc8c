import { describe, expect, test } from "vitest";
import { xpendingRange, xpendingSummary } from "./xpending.ts";

const bytes = (text: string): Buffer => Buffer.from(text);

describe("xpendingSummary", () => {
  const options = { stream: "s", group: "g" };

  test("names stream and group", () => {
    expect(xpendingSummary.encode(options)).toEqual(["s", "g"]);
  });

  test("counts per consumer, whose counts travel as text", () => {
    const reply = [
      3,
      bytes("1-1"),
      bytes("3-1"),
      [
        [bytes("a"), bytes("2")],
        [bytes("b"), bytes("1")],
      ],
    ];
    expect(xpendingSummary.decode(reply, options)).toEqual({
      ...{ count: 3, firstId: "1-1", lastId: "3-1" },
      consumers: new Map([
        ["a", 2],
        ["b", 1],
      ]),
    });
  });

  test("nothing pending has neither ids nor consumers", () => {
    expect(xpendingSummary.decode([0, null, null, null], options)).toEqual({
      ...{ count: 0, firstId: null, lastId: null, consumers: new Map() },
    });
  });
});

describe("xpendingRange", () => {
  const options = { stream: "s", group: "g", from: "-", to: "(5-1", count: 10 };

  test("names the range, and the consumer where one is meant", () => {
    expect(xpendingRange.encode(options)).toEqual(["s", "g", "-", "(5-1", 10]);
    expect(xpendingRange.encode({ ...options, consumer: "c" })).toEqual(["s", "g", "-", "(5-1", 10, "c"]);
  });

  test("reads owner, idle time and deliveries of each entry", () => {
    expect(xpendingRange.decode([[bytes("1-1"), bytes("a"), 120, 2]], options)).toEqual([
      { id: "1-1", consumer: "a", idleMs: 120, deliveries: 2 },
    ]);
    expect(xpendingRange.decode([], options)).toEqual([]);
  });

  test("an entry that was released to nobody keeps the server's marks", () => {
    expect(xpendingRange.decode([[bytes("1-1"), bytes(""), -1, 2]], options)).toEqual([
      { id: "1-1", consumer: "", idleMs: -1, deliveries: 2 },
    ]);
  });
});
