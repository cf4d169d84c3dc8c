// Writes the reports of the packages' public API; with --check says what has changed since they were committed.
import { parseArgs } from "node:util";
import { apiProblems, readApis, writeApis } from "./lib/api-reports.ts";
import { report } from "./lib/report.ts";
import { ROOT } from "./lib/root.mjs";

const { values: options } = parseArgs({ options: { check: { type: "boolean", default: false } } });

// Types that public signatures name, and that nobody needs to name himself.
const UNEXPORTED = [
  // Halves of types that are exported.
  ...["DecisionCore", "ErrorDetails", "Redrive"],
  // What is inside ScalerMemory, which is only handed back.
  ...["ArrivalMemory", "BacklogMemory", "Cap", "EffectivenessMemory", "MovesMemory", "NeedSample", "ProcessingMemory"],
  ...["Sample", "SaturatedMemory", "ThroughputMemory", "TotalsMemory", "TotalsSample", "Trial"],
  // Where each option is written, and the language it is written in: users name the options' types.
  ...["Constant", "Defaults", "DefaultsOf", "Described", "Given", "IsRequired", "MayBeGiven", "Multiple", "NamesWith"],
  ...["NumberSpec", "OptionOf", "OptionsOf", "PolicyOf", "ProgramOptions", "Redis", "Required", "Spec", "Textual"],
  ...[
    "ValueOf",
    "WithRedis",
    "DASHBOARD_SERVER_SPEC",
    "DASHBOARD_SPEC",
    "ALERTS_SPEC",
    "BOARD_SPEC",
    "CHOSEN_SPEC",
    "CLEAN_UP_SPEC",
    "COMMAND_SPEC",
  ],
  ...["CONSUMER_SPEC", "DEAD_LETTERS_SPEC", "DISCARD_SPEC", "FILTERED_SPEC", "KEDA_EXECUTOR_SPEC", "KEDA_SPEC"],
  ...[
    "KUBERNETES_SPEC",
    "LIST_SPEC",
    "OPEN_TELEMETRY_SPEC",
    "METRICS_SERVER_SPEC",
    "METRICS_SPEC",
    "MONITOR_SPEC",
    "PROCESS_POOL_SPEC",
  ],
  ...["PRODUCER_SPEC", "PROGRAM_SPEC", "REDRIVE_SPEC", "RUN_SPEC", "SCALER_SPEC", "SCALE_SERVER_SPEC", "SCALING_SPEC"],
  ...["PAUSE_SPEC", "RESUME_SPEC", "SUMMARISE_SPEC"],
  ...["TRIM_SPEC", "WEBHOOK_SPEC"],
];

const apis = readApis(ROOT);
if (!options.check) for (const path of writeApis(ROOT, apis)) console.log(`${path} written`);
const doors = apis.flatMap(({ reports }) => reports).length;
report(`${doors} public doors`, apiProblems(ROOT, apis, UNEXPORTED));
