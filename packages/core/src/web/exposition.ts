/** Prometheus' text formats: their names, the choice for a client, and the encoding of metrics. */
import { showName } from "../names/names.ts";

/** `text`: Prometheus' text format 0.0.4 · `openmetrics`: OpenMetrics 1.0.0. */
export type PrometheusFormat = "text" | "openmetrics";

/** The `Content-Type` of each format. */
export const PROMETHEUS_CONTENT_TYPES = {
  text: "text/plain; version=0.0.4; charset=utf-8",
  openmetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8",
} as const;

export interface ExposedMetric {
  readonly name: string;
  readonly type: "gauge" | "counter";
  readonly help: string;
}

/** A metric with its series. */
export interface ExposedFamily {
  readonly metric: ExposedMetric;
  /** Labels as {@link encodeLabels} writes them, and values. */
  readonly samples: readonly { readonly labels: string; readonly value: number }[];
}

/** Writes metrics; a metric without series is left out. */
export function renderExposition(families: readonly ExposedFamily[], format: PrometheusFormat): string {
  const lines: string[] = [];
  for (const { metric, samples } of families) {
    if (samples.length === 0) continue;
    const family = familyName(metric, format);
    lines.push(`# HELP ${family} ${escapeHelp(metric.help, format)}`, `# TYPE ${family} ${metric.type}`);
    for (const { labels, value } of samples) lines.push(`${metric.name}{${labels}} ${value}`);
  }
  if (format === "openmetrics") lines.push("# EOF");
  return lines.length === 0 ? "" : `${lines.join("\n")}\n`;
}

/** Labels without braces. Values come from {@link asLabelValue}. */
export function encodeLabels(names: readonly string[], values: readonly string[]): string {
  return names.map((name, at) => `${name}="${escapeLabelValue(values[at] ?? "")}"`).join(",");
}

/**
 * Any name as UTF-8 text without NUL: one lone surrogate or NUL would make Prometheus refuse the whole scrape. Bytes that
 * are not UTF-8 are shown as `\xff`.
 */
export function asLabelValue(name: string): string {
  return showName(name).replaceAll(/[\p{Surrogate}\0]/gu, "\uFFFD");
}

function escapeLabelValue(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n").replaceAll('"', '\\"');
}

/** The format that a client prefers, by its `Accept` header; `text` by default. */
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

/** In OpenMetrics a counter's family has no `_total`; only its series have it. */
function familyName({ name, type }: ExposedMetric, format: PrometheusFormat): string {
  return format === "openmetrics" && type === "counter" ? name.replace(/_total$/, "") : name;
}

function escapeHelp(text: string, format: PrometheusFormat): string {
  const escaped = text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
  return format === "openmetrics" ? escaped.replaceAll('"', '\\"') : escaped;
}
