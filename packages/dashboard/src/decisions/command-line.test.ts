import { expect, it } from "vitest";
import { ANYONE } from "./access.ts";
import { groupCommand, letterCommand, peekCommand } from "./command-line.ts";

const wish = {
  stream: "shop:orders",
  group: "billing",
  ids: ["1-1", "2-1"],
  isAll: false,
  addTrimmed: false,
  perSecond: 0,
};

it("names the dead letters, or all of them", () => {
  expect(letterCommand("redrive", wish)).toBe("redis-batch dead-letters redrive shop:orders billing 1-1 2-1 --yes");
  expect(letterCommand("discard", { ...wish, isAll: true })).toBe(
    "redis-batch dead-letters discard shop:orders billing --all --limit 2 --yes",
  );
  expect(letterCommand("redrive", { ...wish, addTrimmed: true })).toContain(" --if-trimmed add --yes");
});

it("has the rate", () => {
  expect(letterCommand("redrive", { ...wish, isAll: true, perSecond: 50 })).toBe(
    "redis-batch dead-letters redrive shop:orders billing --all --limit 2 --rate 50 --yes",
  );
  expect(letterCommand("discard", { ...wish, perSecond: 50 })).toContain(" 2-1 --rate 50 --yes");
});

it.each([
  [{ action: "pause", forMs: null, reason: null }, "group pause 'a b' g --by ada"],
  [
    { action: "pause", forMs: 5_400_000, reason: "it's moving" },
    "group pause 'a b' g --for 90m --by ada --reason 'it'\\''s moving'",
  ],
  [{ action: "resume" }, "group resume 'a b' g"],
  [{ action: "rate", limit: { messages: 600, perMs: 60_000 } }, "group rate 'a b' g --messages 600 --per 1m"],
  [{ action: "rate", limit: { messages: 1, perMs: 1_500 } }, "group rate 'a b' g --messages 1 --per 1500ms"],
  [{ action: "rate", limit: null }, "group rate 'a b' g --off"],
] as const)("is the same as %j for a group", (act, command) => {
  expect(groupCommand(act, { stream: "a b", group: "g", who: "ada" })).toBe(`redis-batch ${command}`);
});

it("names nobody where nobody has to say who they are: the terminal knows more", () => {
  const act = { action: "pause", forMs: null, reason: null } as const;
  expect(groupCommand(act, { stream: "s", group: "g", who: ANYONE })).toBe("redis-batch group pause s g");
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
