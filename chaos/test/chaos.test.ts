import { ownServersOnly } from "@redis-batch/test-support";
import { expect, test } from "vitest";
import { ROUND_DEFAULTS } from "../src/arguments.ts";
import { FAULT_KINDS } from "../src/plan.ts";
import { hasFailed, renderRound, summarise } from "../src/report.ts";
import { runRound } from "../src/run.ts";

ownServersOnly();

const SEED = 1;

test("nothing is lost and every duplicate is explained, whatever happens to processes, connections and server", {
  timeout: 240_000,
}, async () => {
  const round = await runRound({
    ...ROUND_DEFAULTS,
    seed: SEED,
    messages: 12_000,
    loadMs: 16_000,
    kinds: FAULT_KINDS,
    progress: () => {},
  });
  if (hasFailed(round)) throw new Error(renderRound(round));
  expect(summarise(SEED, [round])).toMatchObject({ lost: 0, failed: [] });
  expect(round.verdict.confirmed).toBeGreaterThan(10_000);
  // A round in which nothing happened would prove nothing.
  expect(Object.keys(round.faults).length).toBeGreaterThan(FAULT_KINDS.length / 2);
  expect(round.monitorMoves).toBeGreaterThan(0);
});
