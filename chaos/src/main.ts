/**
 * `pnpm chaos [--minutes n] [--seed n] [--messages n] [--producers n] [--workers n] [--streams n | --partitions n] [--order-by]
 * [--faults a,b] [--every ms] [--topology standalone|sentinel|cluster] [--wait-for-replicas] [--old folder] [--keep folder] [--soak]
 * [--json]`: rounds
 * of load and faults, each on servers of its own, until the time is over; without --minutes one round; with --soak one round
 * that takes all of the time. Progress goes to stderr; the last line of stdout is JSON. Exit codes: 0 passed, 1 something was
 * lost, is unexplained, waited too long, or could not be judged, 2 wrong arguments.
 */
import { parseArgs } from "node:util";
import { resolveRound, usage } from "./arguments.ts";
import { hasFailed, renderRound, summarise } from "./report.ts";
import { type Round, runRound } from "./run.ts";

const { values } = parseArgs({
  options: {
    minutes: { type: "string" },
    topology: { type: "string" },
    "wait-for-replicas": { type: "boolean", default: false },
    seed: { type: "string" },
    messages: { type: "string" },
    producers: { type: "string" },
    workers: { type: "string" },
    streams: { type: "string" },
    partitions: { type: "string" },
    "order-by": { type: "boolean", default: false },
    faults: { type: "string" },
    every: { type: "string" },
    old: { type: "string" },
    keep: { type: "string" },
    soak: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
  },
});
const options = resolveRound(values);
if (typeof options === "string") {
  console.error(`${options}\n${usage()}`);
  process.exit(2);
}

/** How often a round is repeated in which the machine stalled too often. */
const MOST_REPEATS = 2;
const endsAtMs = performance.now() + options.minutes * 60_000;
const rounds: Round[] = [];
do {
  const seed = options.seed + rounds.length;
  console.error(`── seed ${seed}`);
  const startedAtMs = performance.now();
  const progress = (text: string): void => {
    console.error(`   ${((performance.now() - startedAtMs) / 1_000).toFixed(1).padStart(5)} s  ${text}`);
  };
  let round = await runRound({ ...options, seed, progress });
  const tell = (): void => (values.json ? console.error : console.log)(renderRound(round));
  tell();
  for (let repeats = 0; round.void !== undefined && !hasFailed(round) && repeats < MOST_REPEATS; repeats++) {
    console.error(`── seed ${seed} again`);
    round = await runRound({ ...options, seed, progress });
    tell();
  }
  rounds.push(round);
} while (performance.now() < endsAtMs);
console.log(JSON.stringify(summarise(options.seed, rounds)));
// All is closed by now, but Node 24 waits for ever, in its own clean-up, for a socket that was reset while it was shutting
// down, and the proxies do that to their sockets.
process.exit(rounds.some((round) => hasFailed(round) || round.void !== undefined) ? 1 : 0);
