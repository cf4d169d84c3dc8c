/**
 * `pnpm chaos [--minutes n] [--seed n] [--messages n] [--producers n] [--workers n] [--faults a,b] [--soak]
 * [--json]`: rounds of load and faults, each on a server of its own, until the time is over; without --minutes one round;
 * with --soak one round that takes all of the time. Progress goes to stderr; the last line of stdout is JSON. Exit codes:
 * 0 passed, 1 something was lost or is unexplained, 2 wrong arguments.
 */
import { parseArgs } from "node:util";
import { resolveRound, usage } from "./arguments.ts";
import { hasFailed, renderRound, summarise } from "./report.ts";
import { type Round, runRound } from "./run.ts";

const { values } = parseArgs({
  options: {
    minutes: { type: "string" },
    seed: { type: "string" },
    messages: { type: "string" },
    producers: { type: "string" },
    workers: { type: "string" },
    faults: { type: "string" },
    soak: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
  },
});
const options = resolveRound(values);
if (typeof options === "string") {
  console.error(`${options}\n${usage()}`);
  process.exit(2);
}

const endsAtMs = performance.now() + options.minutes * 60_000;
const rounds: Round[] = [];
do {
  const seed = options.seed + rounds.length;
  console.error(`── seed ${seed}`);
  const startedAtMs = performance.now();
  const progress = (text: string): void => {
    console.error(`   ${((performance.now() - startedAtMs) / 1_000).toFixed(1).padStart(5)} s  ${text}`);
  };
  const round = await runRound({ ...options, seed, progress });
  rounds.push(round);
  (values.json ? console.error : console.log)(renderRound(round));
} while (performance.now() < endsAtMs);
console.log(JSON.stringify(summarise(options.seed, rounds)));
// All is closed by now, but Node 24 waits for ever, in its own clean-up, for a socket that was reset while it was shutting
// down, and the proxies do that to their sockets.
process.exit(rounds.some(hasFailed) ? 1 : 0);
