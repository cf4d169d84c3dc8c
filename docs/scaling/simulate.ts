/**
 * `pnpm simulate [--policy a,b] [--scenario a,b] [--seeds 1,2,3] [--json]`: tries policies on traces, and prints a table,
 * or one JSON object a line. Exit code 2: wrong arguments.
 */
import { parseArgs } from "node:util";
import { compare, POLICIES, type Row, SCENARIOS } from "@redis-batch/simulator";
import { renderTable, renderTotals } from "./table.ts";

const { values } = parseArgs({
  options: {
    policy: { type: "string" },
    scenario: { type: "string" },
    seeds: { type: "string", default: "1,2,3" },
    json: { type: "boolean", default: false },
  },
});

const policies = chosen(POLICIES, values.policy);
const scenarios = chosen(SCENARIOS, values.scenario);
const seeds = values.seeds.split(",").map(Number);
if (policies === null || scenarios === null || !seeds.every((seed) => Number.isSafeInteger(seed) && seed >= 0)) {
  const names = (items: readonly { readonly name: string }[]): string => items.map(({ name }) => name).join(", ");
  console.error(
    `usage: pnpm simulate [--policy a,b] [--scenario a,b] [--seeds 1,2,3] [--json]\n  policies: ${names(POLICIES)}\n  scenarios: ${names(SCENARIOS)}`,
  );
  process.exit(2);
}

const rows: Row[] = [];
for await (const row of compare({ policies, scenarios, seeds })) {
  rows.push(row);
  if (values.json) console.log(JSON.stringify(row));
  else console.error(`${row.scenario} ${row.policy} ${row.seed}`);
}
if (!values.json) console.log(`${renderTable(rows)}\n\n${renderTotals(rows)}`);

/** Those of the names, all without names; `null` when one of them is not known. */
function chosen<Item extends { readonly name: string }>(
  items: readonly Item[],
  names: string | undefined,
): readonly Item[] | null {
  if (names === undefined) return items;
  const wanted = names.split(",");
  const known = wanted.every((name) => items.some((item) => item.name === name));
  return known ? items.filter(({ name }) => wanted.includes(name)) : null;
}
