import { ownServersOnly } from "@redis-batch/test-support";
import { expect, test } from "vitest";
import { ROUND_DEFAULTS } from "../src/arguments.ts";
import { FAULT_KINDS } from "../src/plan.ts";
import { hasFailed, renderRound, summarise } from "../src/report.ts";
import { type Round, runRound } from "../src/run.ts";

ownServersOnly();

const SEED = 1;
/** How often a round is run again in which the machine was frozen too often to judge the waits. */
const MOST_REPEATS = 2;

function run(): Promise<Round> {
  return runRound({
    ...ROUND_DEFAULTS,
    seed: SEED,
    messages: 10_500,
    loadMs: 14_000,
    kinds: FAULT_KINDS,
    progress: () => {},
  });
}

test("nothing is lost, nothing waits too long, every duplicate is explained, whatever happens to processes and server", async () => {
  let round = await run();
  for (let repeats = 0; round.void !== undefined && !hasFailed(round) && repeats < MOST_REPEATS; repeats++) {
    round = await run();
  }
  if (hasFailed(round)) throw new Error(renderRound(round));
  expect(summarise(SEED, [round])).toMatchObject({ lost: 0, overdue: 0, failed: [] });
  expect(round.verdict.confirmed).toBeGreaterThan(9_000);
  // A round in which nothing happened, or nobody ever waited, would prove nothing.
  expect(Object.keys(round.faults).length).toBeGreaterThan(FAULT_KINDS.length / 2);
  expect(round.monitorMoves).toBeGreaterThan(0);
  expect(round.longestWaitMs.new).toBeGreaterThan(0);
  expect(round.longestWaitMs.orphaned).toBeGreaterThan(0);
});
