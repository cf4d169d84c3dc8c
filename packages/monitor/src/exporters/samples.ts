import type { OptionsOf } from "@redis-batch/core/internal/options";
import { asLabelValue, encodeLabels } from "@redis-batch/core/web";
import type { ConsumerReport, GroupReport, MonitorReport } from "../report.ts";
import {
  CONSUMER_METRICS,
  GROUP_METRICS,
  type Metric,
  type MetricDefinition,
  type Reading,
  STREAM_METRICS,
  TALLY_METRICS,
} from "./metrics.ts";
import type { METRICS_SPEC } from "./metrics-spec.ts";
import type { TallyCounts } from "./tally.ts";

/** Shared by the metrics exporters. */
export interface MetricsOptions extends OptionsOf<typeof METRICS_SPEC> {}

/** The last report of a monitor, or of several on different streams; `null` while there is none. */
export type Reports = MonitorReport | readonly MonitorReport[] | null;

/** The subject of a series: a stream, a group or a consumer. All its metrics share its labels. */
export interface Subject {
  /** The values of the labels, as text that can be exported. */
  readonly names: readonly string[];
  /** The labels in the text formats, without braces. */
  readonly labels: string;
}

/** One series and its value. */
export interface Sample {
  readonly subject: Subject;
  /** The value of the metric's state label, the last one; `null` if it has none. */
  readonly state: string | null;
  readonly value: number;
}

/** A metric with its series. */
export interface Family {
  readonly metric: MetricDefinition;
  readonly samples: readonly Sample[];
}

/** All metrics, in the order in which they are exported. */
export const METRICS: readonly MetricDefinition[] = [
  ...STREAM_METRICS,
  ...GROUP_METRICS,
  ...CONSUMER_METRICS,
  ...TALLY_METRICS,
];

/** The series of the reports. Unknown values have no series; a metric may have none at all. */
export function collectFamilies(reports: Reports, options: MetricsOptions = {}): Family[] {
  const { perConsumer = true, tally = [] } = options;
  const streams = new Subjects<MonitorReport>(["stream"]);
  const groups = new Subjects<GroupReport>(["stream", "group"]);
  const consumers = new Subjects<ConsumerReport>(["stream", "group", "consumer"]);
  const tallies = new Subjects<TallyCounts>(["stream"]);
  for (const report of asList(reports ?? [])) {
    if (!streams.add([report.stream], report)) continue;
    for (const group of report.groups) {
      if (!groups.add([report.stream, group.group], group) || !perConsumer) continue;
      for (const consumer of group.consumers) {
        consumers.add([report.stream, group.group, consumer.consumer], consumer);
      }
    }
  }
  for (const { counts } of asList(tally)) tallies.add([counts.stream], counts);
  return [
    ...streams.collect(STREAM_METRICS),
    ...groups.collect(GROUP_METRICS),
    ...consumers.collect(CONSUMER_METRICS),
    ...tallies.collect(TALLY_METRICS),
  ];
}

/** Reports of one kind, by their labels. */
class Subjects<Report> {
  readonly #labels: readonly string[];
  // A series may occur only once, but names that are not text in Redis can become equal here.
  readonly #byLabels = new Map<string, { readonly subject: Subject; readonly report: Report }>();

  constructor(labels: readonly string[]) {
    this.#labels = labels;
  }

  /** Whether it is new. */
  add(names: readonly string[], report: Report): boolean {
    const values = names.map(asLabelValue);
    const labels = encodeLabels(this.#labels, values);
    if (this.#byLabels.has(labels)) return false;
    this.#byLabels.set(labels, { subject: { names: values, labels }, report });
    return true;
  }

  collect(metrics: readonly Metric<Report>[]): Family[] {
    return metrics.map((metric) => {
      const samples: Sample[] = [];
      const add = (subject: Subject, state: string | null, reading: Reading): void => {
        const value = Number(reading);
        if (reading !== null && Number.isFinite(value)) samples.push({ subject, state, value });
      };
      for (const { subject, report } of this.#byLabels.values()) {
        const reading = metric.read(report);
        if (typeof reading !== "object" || reading === null) add(subject, null, reading);
        else for (const [state, value] of reading) add(subject, state, value);
      }
      return { metric, samples };
    });
  }
}

function asList<Value extends object>(value: Value | readonly Value[]): readonly Value[] {
  return Array.isArray(value) ? (value as readonly Value[]) : [value as Value];
}
