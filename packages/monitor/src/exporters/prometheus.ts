import { type PrometheusFormat, renderExposition } from "@redis-batch/core/web";
import { collectFamilies, type MetricsOptions, type Reports } from "./samples.ts";

export interface PrometheusOptions extends MetricsOptions {
  /** Default `text`, which every collector reads. */
  readonly format?: PrometheusFormat;
}

/**
 * A report, or those of several monitors of different streams, in Prometheus' format. An unknown value has no series,
 * instead of a 0. Names of streams, groups and consumers may be anything. `docs/metrics.md` lists the metrics.
 */
export function toPrometheus(reports: Reports, options: PrometheusOptions = {}): string {
  const { format = "text", ...rest } = options;
  const families = collectFamilies(reports, rest).map(({ metric, samples }) => {
    const stateLabel = metric.labels.at(-1) ?? "";
    const labelled = samples.map(({ subject, state, value }) => {
      return { labels: state === null ? subject.labels : `${subject.labels},${stateLabel}="${state}"`, value };
    });
    return { metric, samples: labelled };
  });
  return renderExposition(families, format);
}
