import { expect, test } from "vitest";
import { scanStreams } from "./scan-streams.ts";

test("asks for streams only, by a glob where there is one", () => {
  expect(scanStreams.encode({ count: 10 })).toEqual(["0", "COUNT", 10, "TYPE", "stream"]);
  expect(scanStreams.encode({ cursor: "7", match: "a*", count: 10 })).toEqual([
    ...["7", "MATCH", "a*", "COUNT", 10],
    ...["TYPE", "stream"],
  ]);
});

test("ends where the server's cursor is 0", () => {
  const page = (cursor: string) => scanStreams.decode([Buffer.from(cursor), [Buffer.from("a")]], { count: 1 });
  expect(page("42")).toEqual({ names: ["a"], cursor: "42" });
  expect(page("0")).toEqual({ names: ["a"], cursor: null });
});
