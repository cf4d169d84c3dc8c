/** The options that the exporters of metrics have in common. Each is written here, and nowhere else. */
import type { OptionSpecs } from "@redis-batch/core/internal/options";
import type { MonitorTally } from "./tally.ts";

export const METRICS_SPEC = {
  /**
   * Whether there is a series per consumer. Default `true`. Their number grows with the consumers, and series of short-lived
   * consumers stay in the time series database. With `false` only the counts by status of each group remain.
   */
  perConsumer: { kind: "flag", default: true, about: "whether to export series per consumer" },
  /** The tallies of the monitors whose reports are exported, for the `redis_batch_monitor_…` metrics. Default none. */
  tally: {
    ...{ kind: "own", value: {} as MonitorTally | readonly MonitorTally[], otherwise: "none" },
    about: "tallies of the monitors whose reports are exported",
  },
} as const satisfies OptionSpecs;
