import { expect, test } from "vitest";
import { UsageError } from "../errors/errors.ts";
import { Lifecycle, type LifecycleState } from "./lifecycle.ts";

const STATES: readonly LifecycleState[] = ["idle", "starting", "running", "draining", "failed", "closed"];

const TABLE: Readonly<Record<LifecycleState, { path: readonly LifecycleState[]; to: readonly LifecycleState[] }>> = {
  idle: { path: [], to: ["starting", "closed"] },
  starting: { path: ["starting"], to: ["running", "draining", "failed"] },
  running: { path: ["starting", "running"], to: ["draining", "failed"] },
  draining: { path: ["starting", "running", "draining"], to: ["closed", "failed"] },
  failed: { path: ["starting", "failed"], to: ["closed"] },
  closed: { path: ["closed"], to: [] },
};

function arriveAt(state: LifecycleState): Lifecycle {
  const lifecycle = new Lifecycle("Consumer");
  for (const next of TABLE[state].path) lifecycle.moveTo(next);
  return lifecycle;
}

const moves = STATES.flatMap((from) => STATES.map((to) => ({ from, to, isAllowed: TABLE[from].to.includes(to) })));

test.each(moves.filter((move) => move.isAllowed))("moves from $from to $to", ({ from, to }) => {
  const lifecycle = arriveAt(from);
  expect(lifecycle.canMoveTo(to)).toBe(true);
  lifecycle.moveTo(to);
  expect(lifecycle.state).toBe(to);
});

test.each(moves.filter((move) => !move.isAllowed))("does not move from $from to $to", ({ from, to }) => {
  const lifecycle = arriveAt(from);
  expect(lifecycle.canMoveTo(to)).toBe(false);
  expect(() => lifecycle.moveTo(to)).toThrow(new UsageError(`Consumer is ${from} and cannot become ${to}`));
  expect(lifecycle.state).toBe(from);
});

test.each<LifecycleState>(["idle", "starting", "running"])("may be used while %s", (state) => {
  const lifecycle = arriveAt(state);
  expect(lifecycle.isOpen).toBe(true);
  expect(() => lifecycle.assertOpen("fetch")).not.toThrow();
});

test.each<LifecycleState>(["draining", "failed", "closed"])("may not be used while %s", (state) => {
  const lifecycle = arriveAt(state);
  expect(lifecycle.isOpen).toBe(false);
  expect(() => lifecycle.assertOpen("fetch")).toThrow(new UsageError(`cannot fetch: the consumer is ${state}`));
});
