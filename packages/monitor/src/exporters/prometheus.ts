import type { MetricDefinition } from "./metrics.ts";
import { collectFamilies, type MetricsOptions, type Reports } from "./samples.ts";

/** `text`: Prometheus' text format 0.0.4 · `openmetrics`: OpenMetrics 1.0.0. */
export type PrometheusFormat = "text" | "openmetrics";

export interface PrometheusOptions extends MetricsOptions {
  /** Default `text`, which every collector reads. */
  readonly format?: PrometheusFormat;
}

/** The `Content-Type` of each format. */
export const PROMETHEUS_CONTENT_TYPES = {
  text: "text/plain; version=0.0.4; charset=utf-8",
  openmetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8",
} as const;

/**
 * A report, or those of several monitors on different streams, as Prometheus reads it. What is not known has no series:
 * never 0. Names of streams, groups and consumers may be anything. The metrics are listed in `docs/metrics.md`.
 */
export function toPrometheus(reports: Reports, options: PrometheusOptions = {}): string {
  const { format = "text", ...rest } = options;
  const lines: string[] = [];
  for (const { metric, samples } of collectFamilies(reports, rest)) {
    if (samples.length === 0) continue;
    const family = familyName(metric, format);
    lines.push(`# HELP ${family} ${escapeHelp(metric.help, format)}`, `# TYPE ${family} ${metric.type}`);
    const stateLabel = metric.labels.at(-1) ?? "";
    for (const { subject, state, value } of samples) {
      const labels = state === null ? subject.labels : `${subject.labels},${stateLabel}="${state}"`;
      lines.push(`${metric.name}{${labels}} ${value}`);
    }
  }
  if (format === "openmetrics") lines.push("# EOF");
  return lines.length === 0 ? "" : `${lines.join("\n")}\n`;
}

/** The format a client likes best, by its `Accept` header; `text` when it does not say. */
export function chooseFormat(accept: string | undefined): PrometheusFormat {
  let openmetrics = 0;
  let text = 0;
  for (const range of (accept ?? "").toLowerCase().split(",")) {
    const [type, ...parameters] = range.split(";").map((part) => part.trim());
    const parameter = (name: string): string | undefined =>
      parameters.find((candidate) => candidate.startsWith(`${name}=`))?.slice(name.length + 1);
    const quality = Number(parameter("q") ?? 1);
    if (!(quality > 0 && quality <= 1)) continue;
    const version = parameter("version");
    if (type === "application/openmetrics-text" && (version === undefined || version === "1.0.0")) {
      openmetrics = Math.max(openmetrics, quality);
    }
    if (type === "text/plain" && (version === undefined || version === "0.0.4")) text = Math.max(text, quality);
  }
  return openmetrics > text ? "openmetrics" : "text";
}

/** In OpenMetrics a counter's family is called without the `_total` of its series. */
function familyName({ name, type }: MetricDefinition, format: PrometheusFormat): string {
  return format === "openmetrics" && type === "counter" ? name.replace(/_total$/, "") : name;
}

function escapeHelp(text: string, format: PrometheusFormat): string {
  const escaped = text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
  return format === "openmetrics" ? escaped.replaceAll('"', '\\"') : escaped;
}
