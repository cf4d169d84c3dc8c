import { expect, it } from "vitest";
import { letterCommand, peekCommand } from "./command-line.ts";

const wish = { stream: "shop:orders", group: "billing", ids: ["1-1", "2-1"], isAll: false, addTrimmed: false };

it("names the dead letters, or all of them", () => {
  expect(letterCommand("redrive", wish)).toBe("redis-batch dead-letters redrive shop:orders billing 1-1 2-1 --yes");
  expect(letterCommand("discard", { ...wish, isAll: true })).toBe(
    "redis-batch dead-letters discard shop:orders billing --all --limit 2 --yes",
  );
  expect(letterCommand("redrive", { ...wish, addTrimmed: true })).toContain(" --if-trimmed add --yes");
});

it("is none where there are too many for one line", () => {
  const ids = Array.from({ length: 201 }, (_, at) => `${at}-1`);
  expect(letterCommand("discard", { ...wish, ids })).toBe(null);
  expect(letterCommand("discard", { ...wish, ids, isAll: true })).toContain("--all --limit 201");
});

it.each([
  ["a b", "'a b'"],
  ["it's", `'it'\\''s'`],
  ["$(reboot)", "'$(reboot)'"],
  ["--yes", "'--yes'"],
  ["{a}", "'{a}'"],
  ["caf\udce9", "'caf\\xe9'"],
])("quotes %j for a shell", (stream, word) => {
  expect(letterCommand("redrive", { ...wish, stream })).toContain(`redrive ${word} billing`);
});

it.each([
  [{ newestFirst: true }, "redis-batch peek 'a b' --newest -n 50 --json"],
  [{ newestFirst: true, from: "(5-1" }, null],
  [{ group: "g" }, "redis-batch peek 'a b' g -n 50 --json"],
  [{ from: "1700000000000" }, "redis-batch peek 'a b' --from 1700000000000-0 -n 50 --json"],
  [{ from: "(5-18446744073709551614" }, "redis-batch peek 'a b' --from 5-18446744073709551615 -n 50 --json"],
])("prints messages as %j by %j", (more, command) => {
  expect(peekCommand({ stream: "a b", group: null, from: null, newestFirst: false, limit: 50, ...more })).toBe(command);
});
