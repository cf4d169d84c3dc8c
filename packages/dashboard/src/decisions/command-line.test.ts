import { expect, it } from "vitest";
import { letterCommand } from "./command-line.ts";

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
