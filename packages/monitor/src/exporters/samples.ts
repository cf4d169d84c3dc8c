import type { MonitorReport } from "../report.ts";
import {
  CONSUMER_METRICS,
  GROUP_METRICS,
  type Metric,
  type MetricDefinition,
  STREAM_METRICS,
  TALLY_METRICS,
} from "./metrics.ts";
import type { MonitorTally } from "./tally.ts";

/** What the exporters of metrics have in common. */
export interface MetricsOptions {
  /**
   * Whether there is a series per consumer. Default `true`. Their number grows with the consumers, and those of consumers
   * that come and go stay in the time series database: `false` leaves the counts by status of each group.
   */
  readonly perConsumer?: boolean;
  /** The tallies of the monitors whose reports are exported, for the `redis_batch_monitor_…` metrics. Default none. */
  readonly tally?: MonitorTally | readonly MonitorTally[];
}

/** The last report of a monitor, or of several on different streams; `null` while there is none. */
export type Reports = MonitorReport | readonly MonitorReport[] | null;

/** One series and its value. */
export interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** A metric with its series. */
export interface Family {
  readonly metric: MetricDefinition;
  readonly samples: readonly Sample[];
}

/** Every metric there is, in the order in which they are exported. */
export const METRICS: readonly MetricDefinition[] = [
  ...STREAM_METRICS,
  ...GROUP_METRICS,
  ...CONSUMER_METRICS,
  ...TALLY_METRICS,
];

/** The series of the reports. What is not known has none; a metric that no series is left of is there without. */
export function collectFamilies(reports: Reports, options: MetricsOptions = {}): Family[] {
  const { perConsumer = true, tally = [] } = options;
  const streams = asList(reports ?? []);
  const groups = streams.flatMap(({ stream, groups: all }) =>
    all.map((report) => ({ names: [stream, report.group], report })),
  );
  const consumers = perConsumer
    ? groups.flatMap(({ names, report }) =>
        report.consumers.map((consumer) => ({ names: [...names, consumer.consumer], report: consumer })),
      )
    : [];
  return [
    ...collect(
      STREAM_METRICS,
      streams.map((report) => ({ names: [report.stream], report })),
    ),
    ...collect(GROUP_METRICS, groups),
    ...collect(CONSUMER_METRICS, consumers),
    ...collect(
      TALLY_METRICS,
      asList(tally).map(({ counts }) => ({ names: [counts.stream], report: counts })),
    ),
  ];
}

interface Subject<Report> {
  /** The values of the metric's labels, in order; without that of a state label, which comes last. */
  readonly names: readonly string[];
  readonly report: Report;
}

function collect<Report>(metrics: readonly Metric<Report>[], subjects: readonly Subject<Report>[]): Family[] {
  return metrics.map((metric) => {
    // By its labels: a series may occur once only, and names that are not text in Redis can become equal here.
    const samples = new Map<string, Sample>();
    const add = (names: readonly string[], reading: number | boolean | null): void => {
      const value = Number(reading);
      if (reading === null || !Number.isFinite(value)) return;
      const wellFormed = names.map(asLabelValue);
      const key = wellFormed.join("\0");
      if (samples.has(key)) return;
      const labels = Object.fromEntries(metric.labels.map((label, at) => [label, wellFormed[at] ?? ""]));
      samples.set(key, { labels, value });
    };
    for (const { names, report } of subjects) {
      const reading = metric.read(report);
      if (typeof reading === "object" && reading !== null) {
        for (const [state, value] of Object.entries(reading)) add([...names, state], value);
      } else {
        add(names, reading);
      }
    }
    return { metric, samples: [...samples.values()] };
  });
}

/** Any name as UTF-8 text without NUL: one lone surrogate or NUL would make Prometheus refuse the whole scrape. */
function asLabelValue(name: string): string {
  return name.replaceAll(/[\p{Surrogate}\0]/gu, "\uFFFD");
}

function asList<Value extends object>(value: Value | readonly Value[]): readonly Value[] {
  return Array.isArray(value) ? (value as readonly Value[]) : [value as Value];
}
