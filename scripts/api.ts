// Writes the reports of the packages' public API; with --check says what has changed since they were committed.
import { parseArgs } from "node:util";
import { apiProblems, readApis, writeApis } from "./lib/api-reports.ts";
import { report } from "./lib/report.ts";
import { ROOT } from "./lib/root.mjs";

const { values: options } = parseArgs({ options: { check: { type: "boolean", default: false } } });

// Types that public signatures name, and that nobody needs to name himself.
const UNEXPORTED = [
  // Halves of types that are exported.
  ...["DecisionCore", "DiscardSettings", "ErrorDetails", "Redrive", "RedriveSettings"],
  // What is inside ScalerMemory, which is only handed back.
  ...["ArrivalMemory", "BacklogMemory", "Cap", "EffectivenessMemory", "MovesMemory", "NeedSample", "ProcessingMemory"],
  ...["Sample", "SaturatedMemory", "ThroughputMemory", "TotalsMemory", "TotalsSample", "Trial"],
];

const apis = readApis(ROOT);
if (!options.check) for (const path of writeApis(ROOT, apis)) console.log(`${path} written`);
const doors = apis.flatMap(({ reports }) => reports).length;
report(`${doors} public doors`, apiProblems(ROOT, apis, UNEXPORTED));
