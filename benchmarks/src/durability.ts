/**
 * `node --conditions=@redis-batch/source benchmarks/src/durability.ts [--rounds n] [--only text] [--server redis-8.6] [--price]`:
 * adds messages at a steady rate, lets something happen, and counts which confirmed messages are missing in the end. Prints a
 * row of docs/durability.md per fault and setting. The power cuts need strace. `--price`: what waiting for replicas costs.
 */
import { parseArgs } from "node:util";
import { isServerVersion } from "@redis-batch/test-support";
import { FAULTS, measureFailover, SETTINGS } from "./durability/failovers.ts";
import type { Tally } from "./durability/load.ts";
import { measurePrice } from "./durability/price.ts";
import { ENDS, measureEnd, measureEviction, PERSISTENCE, POLICIES } from "./durability/restarts.ts";

const { values: options } = parseArgs({
  options: {
    rounds: { type: "string", default: "5" },
    only: { type: "string", default: "" },
    server: { type: "string", default: "redis-8.6" },
    price: { type: "boolean", default: false },
  },
});
const rounds = Number(options.rounds);
const version = options.server;
if (!Number.isInteger(rounds) || rounds < 1 || !isServerVersion(version)) {
  console.error("usage: durability.ts [--rounds n] [--only text] [--server redis-8.6] [--price]");
  process.exit(2);
}

interface Case {
  readonly fault: string;
  readonly setting: string;
  readonly measure: () => Promise<Tally>;
}

const keys = <Name extends string>(record: Readonly<Record<Name, unknown>>) => Object.keys(record) as Name[];

const cases: readonly Case[] = [
  ...keys(FAULTS).flatMap((fault) =>
    keys(SETTINGS).map((setting) => ({ fault, setting, measure: () => measureFailover(fault, setting, version) })),
  ),
  ...ENDS.flatMap((end) =>
    keys(PERSISTENCE).map((setting) => ({ fault: end, setting, measure: () => measureEnd(end, setting, version) })),
  ),
  ...POLICIES.map((policy) => ({
    ...{ fault: "the memory is full", setting: `\`maxmemory-policy ${policy}\`` },
    measure: () => measureEviction(policy, version),
  })),
];

if (options.price) await measurePrice(version);
else {
  for (const { fault, setting, measure } of cases) {
    if (!`${fault} ${setting}`.includes(options.only)) continue;
    const tallies: Tally[] = [];
    for (let round = 0; round < rounds; round++) tallies.push(await measure());
    console.log(rowOf(fault, setting, tallies));
  }
}

/** `| fault | setting | rounds | confirmed | lost | lost per round | unknown, of those there |` */
function rowOf(fault: string, setting: string, tallies: readonly Tally[]): string {
  const sum = (of: (tally: Tally) => number): string =>
    tallies.reduce((total, tally) => total + of(tally), 0).toLocaleString("en-US");
  const lost = tallies.map((tally) => tally.lost).toSorted((one, other) => one - other);
  const spread = lost.at(0) === lost.at(-1) ? `${lost[0]}` : `${lost[0]} – ${lost.at(-1)}`;
  const cells = [
    ...[fault, setting, tallies.length, sum(({ confirmed }) => confirmed), sum((tally) => tally.lost), spread],
    ...[sum(({ unknown }) => unknown), sum(({ unknownThere }) => unknownThere)],
  ];
  return `| ${cells.join(" | ")} |`;
}
