/**
 * `pnpm bench [--only name] [--rounds n] [--quick] [--json]`: starts a server of its own, runs each scenario's
 * contenders in turn, and prints what came of it. Quote ratios and medians; the machine is never quiet.
 */
import { parseArgs } from "node:util";
import { RedisServer } from "@redis-batch/test-support";
import { renderRows, rowAsJson } from "./render.ts";
import { runScenario } from "./scenario.ts";
import { SCENARIOS } from "./scenarios/index.ts";

const { values: options } = parseArgs({
  options: {
    only: { type: "string" },
    rounds: { type: "string" },
    quick: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
  },
});

const rounds = Number(options.rounds ?? (options.quick ? 3 : 7));
const scenarios = SCENARIOS.filter(({ name }) => options.only === undefined || name === options.only);
if (scenarios.length === 0 || !Number.isInteger(rounds) || rounds < 1) {
  console.error(
    `usage: pnpm bench [--only ${SCENARIOS.map(({ name }) => name).join("|")}] [--rounds n] [--quick] [--json]`,
  );
  process.exit(2);
}

await using server = await RedisServer.start({ listen: "tcp" });
for (const scenario of scenarios) {
  const sized = options.quick ? { ...scenario, messages: scenario.messages / 4 } : scenario;
  console.error(`${scenario.name}: ${scenario.what}; ${sized.messages} messages, ${rounds} rounds`);
  const rows = await runScenario(sized, server, rounds, (round) => console.error(`  round ${round} of ${rounds}`));
  console.log(options.json ? rows.map(rowAsJson).join("\n") : `\n${renderRows(rows, scenario.referenceName)}\n`);
}
