/**
 * `pnpm bench [--only name] [--rounds n] [--quick] [--json] [--publish] [--original folder]`: starts a server of its own,
 * runs each scenario's contenders in turn, and prints the results.
 */
import { RedisServer } from "@redis-batch/test-support";
import { Redis } from "ioredis";
import { parseBenchOptions, QUICK_MS, UsageError } from "./bench-options.ts";
import { buildContenders } from "./build.ts";
import { describeMachine } from "./machine.ts";
import { Probe } from "./probe.ts";
import type { Publication, Skipped } from "./publication.ts";
import { publish } from "./publish-files.ts";
import { renderRows, rowAsJson } from "./render.ts";
import type { Row } from "./rows.ts";
import { CannotRunError, runScenario } from "./scenario.ts";
import { SCENARIOS } from "./scenarios/index.ts";

const beganMs = performance.now();
const options = parse();
await buildContenders();
await using server = await RedisServer.start({ listen: "tcp" });
await using probe = new Probe();
await probe.calibrate();
const redis = new Redis({ ...server.options, replyMapping: "legacy" });
const bench = { server, redis, quick: options.quick, original: options.original };

const rows: Row[] = [];
const skipped: Skipped[] = [];
const chosen = SCENARIOS.filter(({ name }) => options.scenarios.includes(name));
for (const [index, scenario] of chosen.entries()) {
  console.error(`${scenario.name}: ${scenario.what}`);
  try {
    const found = await runScenario(scenario, bench, {
      rounds: options.rounds,
      untilMs: options.isHasty ? shareOfTime(chosen.length - index) : Number.POSITIVE_INFINITY,
      probe,
      progress: (round) => console.error(`  round ${round}`),
    });
    rows.push(...found);
    console.log(options.json ? found.map(rowAsJson).join("\n") : `\n${renderRows(found, scenario)}\n`);
  } catch (error) {
    if (!(error instanceof CannotRunError)) throw error;
    skipped.push({ scenario: scenario.name, why: error.message });
    console.error(`  not run: ${error.message}`);
  }
}
if (options.publish) publish(await publication());
redis.disconnect();

/** Until when a scenario may begin rounds that leaves as much time for each of the others. */
function shareOfTime(scenariosLeft: number): number {
  const nowMs = performance.now();
  return nowMs + Math.max(0, beganMs + QUICK_MS - nowMs) / scenariosLeft;
}

async function publication(): Promise<Publication> {
  const machine = await describeMachine(server);
  return { run: { date: new Date().toISOString().slice(0, 10), quick: options.quick, machine }, rows, skipped };
}

function parse() {
  try {
    return parseBenchOptions(
      process.argv.slice(2),
      SCENARIOS.map(({ name }) => name),
    );
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    console.error(`${error.message}\nusage: pnpm bench [--only name]… [--rounds n] [--quick] [--json] [--publish]`);
    console.error("                  [--original folder]");
    process.exit(2);
  }
}
