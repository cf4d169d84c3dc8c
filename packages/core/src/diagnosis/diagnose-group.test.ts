import { expect, it } from "vitest";
import { diagnoseGroup, diagnoseRetention, type GroupFacts } from "./diagnose-group.ts";

const group = (more: Partial<GroupFacts> = {}): GroupFacts => ({
  ...{
    group: "bill ing",
    health: "OK",
    reason: "it keeps up",
    deadLetters: 0,
    rateLimit: null,
    consumers: [],
    ...more,
  },
});
const summary = (more: Partial<GroupFacts>) =>
  diagnoseGroup("orders", group(more)).map(({ severity, finding, fix }) => [severity, finding, fix]);

it("finds nothing in a group that is well, or of which too little is known", () => {
  expect(summary({})).toEqual([["ok", "it keeps up", null]]);
  expect(summary({ health: "UNKNOWN" })).toEqual([["ok", "it keeps up", null]]);
});

it.each([
  ["STOPPED", "start consumers, or see what blocks them: redis-batch monitor orders 'bill ing'"],
  ["FAILING", "see why messages go to the dead letters: redis-batch dead-letters list orders 'bill ing'"],
  ["AHEAD", "move it to where it should continue: redis-batch group seek orders 'bill ing' --to end"],
])("%s is a problem, with a command that can be copied", (health, fix) => {
  expect(summary({ health })).toEqual([["problem", "it keeps up", fix]]);
});

it("says how a pause ends, and whose rate is not the group's", () => {
  expect(summary({ health: "PAUSED", reason: "paused by anna", rateLimit: { differing: ["a"] } })).toEqual([
    ["warning", "paused by anna", expect.stringContaining("redis-batch group resume orders 'bill ing'")],
    ["warning", 'the options of "a" have another rateLimit than the group, whose counts', expect.any(String)],
  ]);
});

it("names consumers that make no progress, and counts dead ones and dead letters", () => {
  const consumers = [
    { consumer: "a", status: "STALLED", reason: "nothing for 2 min" },
    { consumer: "b", status: "DEAD", reason: "" },
    { consumer: "c", status: "OK", reason: "" },
  ];
  expect(summary({ consumers, deadLetters: 2 }).slice(1)).toEqual([
    ["warning", 'the consumer "a" is STALLED: nothing for 2 min', expect.any(String)],
    ["warning", "1 consumer is dead", "redis-batch cleanup orders 'bill ing'"],
    ["warning", "2 dead letters", "redis-batch dead-letters list orders 'bill ing'"],
  ]);
});

it("warns of what was removed too early", () => {
  expect(diagnoseRetention(["3 messages were lost"])).toMatchObject([{ area: "retention", severity: "warning" }]);
});
