/** What a monitoring system is told of a group. */

export type CheckStatus = "ok" | "warning" | "critical" | "unknown";

/** How `check` ends, as monitoring systems expect. */
export const CHECK_CODES = { ok: 0, warning: 1, critical: 2, unknown: 3 } as const satisfies Record<
  CheckStatus,
  number
>;

/** One thing that is looked at, with its limits. */
export interface Measure {
  readonly name: string;
  /** `null`: nobody knows. */
  readonly value: number | null;
  readonly warnAbove?: number | undefined;
  readonly criticalAbove?: number | undefined;
  readonly criticalBelow?: number | undefined;
  /** A judgement of the monitor, in words, in place of limits; `value` is `null` then. */
  readonly judged?: { readonly status: CheckStatus; readonly words: string } | undefined;
}

export interface Finding extends Measure {
  readonly status: CheckStatus;
}

export interface Verdict {
  readonly status: CheckStatus;
  readonly findings: readonly Finding[];
}

/** From good to bad. What is not known is worse than a warning, and better than what is known to be critical. */
const ORDER: readonly CheckStatus[] = ["ok", "warning", "unknown", "critical"];

/** Judges each measure by its limits, and all of them by the worst. What has neither limit nor judgement is ok, known or not. */
export function decideVerdict(measures: readonly Measure[]): Verdict {
  const findings = measures.map((measure) => ({ ...measure, status: judge(measure) }));
  const worst = Math.max(0, ...findings.map(({ status }) => ORDER.indexOf(status)));
  return { status: ORDER[worst] ?? "unknown", findings };
}

function judge({ value, warnAbove, criticalAbove, criticalBelow, judged }: Measure): CheckStatus {
  if (judged !== undefined) return judged.status;
  const limits = [warnAbove, criticalAbove, criticalBelow].filter((limit) => limit !== undefined);
  if (limits.length === 0) return "ok";
  if (value === null) return "unknown";
  if (criticalAbove !== undefined && value > criticalAbove) return "critical";
  if (criticalBelow !== undefined && value < criticalBelow) return "critical";
  return warnAbove !== undefined && value > warnAbove ? "warning" : "ok";
}
