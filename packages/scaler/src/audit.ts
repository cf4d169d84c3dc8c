/** The audit log's entries about an order: the order with all its inputs, and its result. */
import type { ErrorInfo } from "@redis-batch/core";
import type { Decision } from "./decisions/decision.ts";
import type { Order } from "./executor.ts";

type Entry = Readonly<Record<string, string>>;

const VERSION = "1";

export function auditOrder({ term, sequence }: Order, decision: Decision, executor: string): Entry {
  const { direction, current, desired, reason } = decision;
  return {
    ...{ v: VERSION, what: "order", term: String(term), sequence: String(sequence), executor },
    ...{ direction, from: String(current), to: String(desired), reason, decision: JSON.stringify(decision) },
  };
}

/** @param failure `null`: it was carried out */
export function auditOutcome({ term, sequence }: Order, failure: ErrorInfo | null): Entry {
  const outcome = { v: VERSION, term: String(term), sequence: String(sequence) };
  if (failure === null) return { ...outcome, what: "done" };
  return { ...outcome, what: "failed", code: failure.code, error: failure.message };
}
