import { ownServersOnly } from "@redis-batch/test-support";
import { expect, test } from "vitest";
import { ROUND_DEFAULTS } from "../src/arguments.ts";
import { FAULT_KINDS } from "../src/plan.ts";
import { hasFailed, renderRound, summarise } from "../src/report.ts";
import { type Round, runRound } from "../src/run.ts";

ownServersOnly();

const SEED = 1;
function run(): Promise<Round> {
  return runRound({
    ...ROUND_DEFAULTS,
    seed: SEED,
    messages: 12_000,
    loadMs: 16_000,
    kinds: FAULT_KINDS,
    progress: () => {},
  });
}

test("nothing is lost, nothing waits too long, every duplicate is explained, whatever happens to processes and server", {
  timeout: 300_000,
}, async () => {
  let round = await run();
  // The machine stood still too often for anything to be said of the waits.
  if (round.void !== undefined && !hasFailed(round)) round = await run();
  if (hasFailed(round)) throw new Error(renderRound(round));
  expect(summarise(SEED, [round])).toMatchObject({ lost: 0, overdue: 0, failed: [] });
  expect(round.verdict.confirmed).toBeGreaterThan(10_000);
  // A round in which nothing happened, or nobody ever waited, would prove nothing.
  expect(Object.keys(round.faults).length).toBeGreaterThan(FAULT_KINDS.length / 2);
  expect(round.monitorMoves).toBeGreaterThan(0);
  expect(round.longestWaitMs.new).toBeGreaterThan(0);
  expect(round.longestWaitMs.orphaned).toBeGreaterThan(0);
});
