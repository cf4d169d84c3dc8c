import type { Decision } from "../decisions/decision.ts";
import type { Order } from "../executor.ts";

/** An order for a command or a webhook, as JSON. */
export interface ScaleInstruction {
  readonly v: 1;
  readonly stream: string;
  readonly group: string;
  /** Of two instructions the later one has the higher term, or the same term and the higher sequence. */
  readonly term: number;
  readonly sequence: number;
  readonly direction: "OUT" | "IN" | "NO_SCALE";
  readonly current: number;
  /** The wanted number of consumers. The receiver must be idempotent: the same order may arrive more than once. */
  readonly desired: number;
  readonly reason: string;
  /** The complete decision. */
  readonly decision: Decision;
}

export function instruct(decision: Decision, { stream, group, term, sequence }: Order): ScaleInstruction {
  const { direction, current, desired, reason } = decision;
  return { v: 1, stream, group, term, sequence, direction, current, desired, reason, decision };
}
