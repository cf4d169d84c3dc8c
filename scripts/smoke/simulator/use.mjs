// A comparison of every policy on a short trace; needs no server.
import assert from "node:assert/strict";
import { compare, POLICIES, traceScenario } from "@redis-batch/simulator";

const scenario = traceScenario([
  { at: 0, perSecond: 20 },
  { at: 60, perSecond: 20 },
]);
const rows = [];
for await (const row of compare({ policies: POLICIES, scenarios: [scenario], seeds: [1] })) rows.push(row);
assert.deepEqual(
  rows.map(({ policy }) => policy),
  ["throughput", "throughput-keda", "ratio", "keda-lag", "keda-pending", "keda-expert", "maximum", "oracle"],
);
assert(rows.every(({ messages }) => messages > 1_000));
