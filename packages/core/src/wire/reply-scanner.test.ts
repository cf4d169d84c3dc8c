import { describe, expect, test } from "vitest";
import type { StreamEntry } from "./entry.ts";
import { ReplyScanner } from "./reply-scanner.ts";

const REPLY =
  "*1\r\n*2\r\n$1\r\ns\r\n*2\r\n*2\r\n$3\r\n1-1\r\n*2\r\n$1\r\nf\r\n$1\r\nv\r\n*2\r\n$3\r\n1-2\r\n*2\r\n$1\r\nf\r\n$1\r\nw\r\n";

/** What comes of the chunks, in order: text that passed, and ids that were taken. */
function scan(...chunks: readonly string[]): (string | readonly string[])[] {
  const seen: (string | readonly string[])[] = [];
  const scanner = new ReplyScanner({
    pass(bytes) {
      const last = seen.at(-1);
      if (typeof last === "string") seen[seen.length - 1] = last + bytes.toString("latin1");
      else seen.push(bytes.toString("latin1"));
    },
    take: (streams) => seen.push(streams.flatMap(({ entries }) => entries.map(({ id }) => id))),
  });
  for (const chunk of chunks) scanner.write(Buffer.from(chunk, "latin1"));
  return seen;
}

test("takes XREADGROUP replies, and passes all else in its place", () => {
  const info = "$5\r\n*1\r\n*\r\n";
  expect(scan(`+OK\r\n${REPLY}:12\r\n${info}${REPLY}*-1\r\n`)).toEqual([
    ...["+OK\r\n", ["1-1", "1-2"], `:12\r\n${info}`, ["1-1", "1-2"], "*-1\r\n"],
  ]);
});

test("passes at once what is not, or no longer, one of its own", () => {
  expect(scan("$100000\r\nabc")).toEqual(["$100000\r\nabc"]);
  expect(scan("*1\r\n*2\r\n$1\r\ns\r\n*9\r\n", "*2\r\n$3\r\n1-1\r\n*-", "1\r\n*2")).toEqual([
    "*1\r\n*2\r\n$1\r\ns\r\n*9\r\n*2\r\n$3\r\n1-1\r\n*-1\r\n*2",
  ]);
});

test("takes the entries of several streams, each under its name", () => {
  const [, one] = REPLY.split(/(?<=^\*1\r\n)/);
  const other = "*2\r\n$2\r\nt\u00ff\r\n*1\r\n*2\r\n$3\r\n9-1\r\n*2\r\n$1\r\nf\r\n$1\r\nx\r\n";
  const reply = Buffer.from(`*3\r\n${one}*2\r\n$1\r\ne\r\n*0\r\n${other}`, "latin1");
  for (let at = 0; at <= reply.length; at++) {
    const taken: Record<string, readonly string[]>[] = [];
    const scanner = new ReplyScanner({
      pass: () => {},
      take: (streams) =>
        taken.push(Object.fromEntries(streams.map(({ stream, entries }) => [stream, entries.map(({ id }) => id)]))),
    });
    scanner.write(reply.subarray(0, at));
    scanner.write(reply.subarray(at));
    expect(taken).toEqual([{ s: ["1-1", "1-2"], e: [], "t\udcff": ["9-1"] }]);
  }
});

test("gives out nothing before the reply is whole", () => {
  expect(scan(REPLY.slice(0, -1))).toEqual([]);
  expect(scan(REPLY.slice(0, -1), "\n")).toEqual([["1-1", "1-2"]]);
});

describe("what is no RESP2 passes, and everything after it", () => {
  test.each([
    ["a push", ">1\r\n+x\r\n"],
    ["a map", "%1\r\n+x\r\n+y\r\n"],
    ["a length that is no number", "$1x\r\na\r\n"],
    ["a length without end", `$${"9".repeat(40)}`],
    ["an empty length", "*\r\n"],
    ["a line that goes on after CR", "+a\rb\r\n"],
    ["random bytes", "\u0000\u00ff\u0001"],
  ])("%s", (_, bytes) => {
    expect(scan(bytes.slice(0, 1), bytes.slice(1), REPLY).join("")).toBe(bytes + REPLY);
  });
});

test("an entry lies in the chunk that brought it; only one that was cut is put together", () => {
  const whole = Buffer.from(REPLY);
  const taken: StreamEntry[] = [];
  const scanner = new ReplyScanner({
    pass: () => {},
    take: (streams) => void taken.push(...streams.flatMap(({ entries }) => entries)),
  });
  scanner.write(whole.subarray(0, 30));
  scanner.write(whole.subarray(30));
  // Still seen through the entry: its bytes are these.
  whole.write("X", REPLY.indexOf("w"));
  whole.write("X", REPLY.indexOf("v"));
  expect(taken.map(({ fields }) => String(fields[1]))).toEqual(["v", "X"]);
});
