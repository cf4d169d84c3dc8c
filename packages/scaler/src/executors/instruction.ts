import type { Decision } from "../decisions/decision.ts";
import type { Order } from "../executor.ts";

/** What a command and a webhook are told, as JSON. */
export interface ScaleInstruction {
  readonly v: 1;
  readonly stream: string;
  readonly group: string;
  /** Of two instructions the later one has the higher term, or the same term and the higher sequence. */
  readonly term: number;
  readonly sequence: number;
  readonly direction: "OUT" | "IN" | "NO_SCALE";
  readonly current: number;
  /** Consumers there shall be. To bring that about once or more than once must be the same. */
  readonly desired: number;
  readonly reason: string;
  /** All that led to it. */
  readonly decision: Decision;
}

export function instruct(decision: Decision, { stream, group, term, sequence }: Order): ScaleInstruction {
  const { direction, current, desired, reason } = decision;
  return { v: 1, stream, group, term, sequence, direction, current, desired, reason, decision };
}
