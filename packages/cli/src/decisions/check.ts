/** The verdict on a group, for monitoring systems. */

export type CheckStatus = "ok" | "warning" | "critical" | "unknown";

/** Exit codes of `check`, as monitoring systems expect them. */
export const CHECK_CODES = { ok: 0, warning: 1, critical: 2, unknown: 3 } as const satisfies Record<
  CheckStatus,
  number
>;

/** One measured value, with its limits. */
export interface Measure {
  readonly name: string;
  /** `null`: unknown. */
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

/** From good to bad. Unknown is worse than a warning, but better than critical. */
const ORDER: readonly CheckStatus[] = ["ok", "warning", "unknown", "critical"];

/** Judges each measure by its limits; the worst result counts. A measure with neither limit nor judgement is ok, even if unknown. */
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
