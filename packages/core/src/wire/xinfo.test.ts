import { describe, expect, test } from "vitest";
import { ReplyShapeError } from "../errors/errors.ts";
import { xinfoConsumers, xinfoGroups, xinfoStream } from "./xinfo.ts";

type Named = readonly (readonly [name: string, value: unknown])[];

/** The same named fields as RESP2 and as RESP3 send them. */
const shapes = [
  ["a flat list", (named: Named): unknown => named.flatMap(([name, value]) => [Buffer.from(name), value])],
  ["a map", (named: Named): unknown => new Map(named)],
] as const;

describe.each(shapes)("in %s", (_, shape) => {
  const stream: Named = [
    ["length", 2],
    ["radix-tree-keys", 1],
    ["last-generated-id", Buffer.from("5-1")],
    ["max-deleted-entry-id", Buffer.from("0-0")],
    ["entries-added", 9],
    ["recorded-first-entry-id", Buffer.from("1-1")],
    // Redis 8.6 puts six more here.
    ["idmp-duration", 100],
    ["groups", 3],
    ["first-entry", [Buffer.from("1-1"), [Buffer.from("f"), Buffer.from("v")]]],
    ["last-entry", [Buffer.from("4-1"), [Buffer.from("f"), Buffer.from("v")]]],
  ];

  test("a stream's fields are found by name", () => {
    expect(xinfoStream.decode(shape(stream), { stream: "s" })).toEqual({
      ...{ length: 2, lastGeneratedId: "5-1", entriesAdded: 9, firstEntryId: "1-1", lastEntryId: "4-1", groups: 3 },
    });
  });

  test("an empty stream has no first and no last entry", () => {
    const emptied: Named = stream.map(([name, value]) => [name, name === "length" ? 0 : value]);
    expect(xinfoStream.decode(shape(emptied), { stream: "s" })).toMatchObject({
      firstEntryId: null,
      lastEntryId: null,
    });
  });

  const needed = ["length", "last-generated-id", "entries-added", "recorded-first-entry-id", "last-entry", "groups"];
  test.each(needed)("a stream without %s is a surprise", (name) => {
    const reply = shape(stream.filter(([known]) => known !== name));
    expect(() => xinfoStream.decode(reply, { stream: "s" })).toThrow(
      new ReplyShapeError(`XINFO: no field "${name}" in the reply`),
    );
  });

  const group: Named = [
    ["name", Buffer.from("billing")],
    ["consumers", 1],
    ["pending", 2],
    ["last-delivered-id", Buffer.from("5-1")],
    ["entries-read", 7],
    ["lag", 0],
  ];

  test("every group is listed", () => {
    expect(xinfoGroups.decode([shape(group), shape(group)], { stream: "s" })).toEqual(
      [0, 1].map(() => ({
        ...{ name: "billing", consumers: 1, pending: 2, lastDeliveredId: "5-1", entriesRead: 7, lag: 0 },
      })),
    );
  });

  test("a lag that the server does not know, or does not have, is null and never 0", () => {
    const unknown: Named = [...group.slice(0, 4), ["entries-read", null], ["lag", null]];
    for (const named of [unknown, group.slice(0, 4)]) {
      expect(xinfoGroups.decode([shape(named)], { stream: "s" })).toMatchObject([{ entriesRead: null, lag: null }]);
    }
  });

  const consumer: Named = [
    ["name", Buffer.from("c1")],
    ["pending", 4],
    ["idle", 12],
    ["inactive", 34],
  ];
  const options = { stream: "s", group: "g" };

  test("every consumer is listed", () => {
    expect(xinfoConsumers.decode([shape(consumer)], options)).toEqual([
      { name: "c1", pending: 4, idleMs: 12, inactiveMs: 34, idleSince: "attempt" },
    ]);
  });

  test("a consumer that never got anything, or whose server does not say, has no inactive time", () => {
    const never: Named = [...consumer.slice(0, 3), ["inactive", -1]];
    const untold = consumer.slice(0, 3);
    for (const [named, idleSince] of [[never, "attempt"] as const, [untold, "success"] as const]) {
      expect(xinfoConsumers.decode([shape(named)], options)).toMatchObject([{ inactiveMs: null, idleSince }]);
    }
  });
});

test("names what is asked about", () => {
  expect(xinfoStream.encode({ stream: "s" })).toEqual(["STREAM", "s"]);
  expect(xinfoGroups.encode({ stream: "s" })).toEqual(["GROUPS", "s"]);
  expect(xinfoConsumers.encode({ stream: "s", group: "g" })).toEqual(["CONSUMERS", "s", "g"]);
});
