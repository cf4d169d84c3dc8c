/** A verdict in the formats of monitoring systems. */
import { CHECK_CODES, type Finding, type Verdict } from "../decisions/check.ts";
import { encodeJson, escapeText } from "./escape.ts";
import { renderDuration } from "./report.ts";

export interface Subject {
  readonly stream: string;
  readonly group: string;
}

export type VerdictFormat = "text" | "json" | "nagios" | "prometheus";

/** `problem`: why nothing could be measured, or `null`. */
export function renderVerdict(
  format: VerdictFormat,
  subject: Subject,
  verdict: Verdict,
  problem: string | null,
): string {
  switch (format) {
    case "text":
      return renderText(subject, verdict, problem);
    case "json":
      return `${encodeJson({ ...subject, status: verdict.status, problem, measures: verdict.findings.map(plain) }, 2)}\n`;
    case "nagios":
      return renderNagios(subject, verdict, problem);
    case "prometheus":
      return renderPrometheus(subject, verdict);
  }
}

function renderText({ stream, group }: Subject, { status, findings }: Verdict, problem: string | null): string {
  const head = `${status.toUpperCase()}  ${escapeText(stream)} / ${escapeText(group)}`;
  if (problem !== null) return `${head}  ${escapeText(problem)}\n`;
  return `${[head, ...findings.map((finding) => `  ${finding.status.padEnd(9)} ${sentence(finding)}`)].join("\n")}\n`;
}

/** `SERVICE STATUS - text | name=value;warn;crit …`, on one line and without a bar in the text. */
function renderNagios({ stream, group }: Subject, { status, findings }: Verdict, problem: string | null): string {
  const bad = findings.filter((finding) => finding.status !== "ok");
  const verdicts = (bad.length === 0 ? findings : bad).map(sentence).join(", ");
  const text = `REDIS_BATCH ${status.toUpperCase()} - ${escapeText(stream)}/${escapeText(group)}: ${escapeText(problem ?? verdicts)}`;
  const data = findings
    .filter(({ value }) => value !== null)
    .map(({ name, value, warnAbove = "", criticalAbove = "", criticalBelow }) => {
      const critical = criticalBelow === undefined ? criticalAbove : `${criticalBelow}:`;
      return `${name}=${value ?? ""}${name.endsWith("_ms") ? "ms" : ""};${warnAbove};${critical}`;
    });
  return `${text.replaceAll("|", "/")}${data.length === 0 ? "" : ` | ${data.join(" ")}`}\n`;
}

function renderPrometheus({ stream, group }: Subject, { status, findings }: Verdict): string {
  const labels = `stream="${label(stream)}",group="${label(group)}"`;
  return [
    "# HELP redis_batch_check_status 0 ok, 1 warning, 2 critical, 3 unknown.",
    "# TYPE redis_batch_check_status gauge",
    `redis_batch_check_status{${labels}} ${CHECK_CODES[status]}`,
    "# HELP redis_batch_check_measure Measured values.",
    "# TYPE redis_batch_check_measure gauge",
    ...findings
      .filter(isMeasured)
      .map(({ name, value }) => `redis_batch_check_measure{${labels},measure="${name}"} ${value ?? "NaN"}`),
    "",
  ].join("\n");
}

const label = (text: string): string => text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");

const isMeasured = ({ judged }: Finding): boolean => judged === undefined;

/** Where the name of a measure does not say what it counts. */
const WORDS: Readonly<Record<string, string>> = { consumers: "healthy consumers" };

function sentence({ name, value, warnAbove, criticalAbove, criticalBelow, judged }: Finding): string {
  if (judged !== undefined) return `${name} ${escapeText(judged.words)}`;
  const isTime = name.endsWith("_ms");
  const shown = (amount: number): string => (isTime ? renderDuration(amount) : String(amount));
  const limits = [
    ...(warnAbove === undefined ? [] : [`warning above ${shown(warnAbove)}`]),
    ...(criticalAbove === undefined ? [] : [`critical above ${shown(criticalAbove)}`]),
    ...(criticalBelow === undefined ? [] : [`critical below ${shown(criticalBelow)}`]),
  ];
  const what = WORDS[name] ?? (isTime ? name.slice(0, -"_ms".length) : name).replaceAll("_", " ");
  return `${what} ${value === null ? "unknown" : shown(value)}${limits.length === 0 ? "" : ` (${limits.join("; ")})`}`;
}

function plain({ name, value, status, warnAbove, criticalAbove, criticalBelow, judged }: Finding) {
  const limits = {
    warnAbove: warnAbove ?? null,
    criticalAbove: criticalAbove ?? null,
    criticalBelow: criticalBelow ?? null,
  };
  return { name, value, status, ...limits, ...(judged === undefined ? {} : { words: judged.words }) };
}
