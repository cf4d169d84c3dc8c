/** What a leader leaves for the next one, itself after a restart among them, as versioned JSON. */

import { emptyMemory, type ScalerMemory } from "./decisions/decide.ts";
import type { Decision } from "./decisions/decision.ts";
import { NO_STARTS, type StartsMemory } from "./decisions/starts.ts";
import { forgetful } from "./decisions/throughput.ts";
import type { ScalingPolicy } from "./options.ts";

interface State {
  readonly v: 1;
  /** When it was left, by the server's clock, in milliseconds since 1970. */
  readonly atMs: number;
  readonly memory: ScalerMemory;
  readonly starts: StartsMemory;
  readonly decision: Decision;
}

// What is older tells of another time: of it only stays what consumers achieve, and how long they take to start.
const FRESH_MS = 60_000;

export function encodeState(state: Omit<State, "v">): string {
  return JSON.stringify({ v: 1, ...state } satisfies State);
}

/** The last leader's last decision; `null` where there is none that can be read. */
export function readDecision(text: string): Decision | null {
  return parse(text)?.decision ?? null;
}

export interface Recollection {
  readonly memory: ScalerMemory;
  readonly starts: StartsMemory;
}

/** What to begin with; `null` where nothing was left that this version and this strategy understand. */
export function recall(text: string, strategy: ScalingPolicy["strategy"], nowMs: number): Recollection | null {
  const state = parse(text);
  if (state?.memory.strategy !== strategy) return null;
  const { memory, starts, atMs } = state;
  if (memory.strategy === "ratio" || nowMs - atMs <= FRESH_MS) return { memory, starts };
  const { processing, leadMs, moves, batchSize, concurrency } = memory.throughput;
  const learned = forgetful({ perSecond: processing.perSecond, leadMs });
  return {
    memory: { strategy: "throughput", throughput: { ...learned, moves, batchSize, concurrency } },
    starts: NO_STARTS,
  };
}

function parse(text: string): State | null {
  try {
    const state = JSON.parse(text) as Partial<State> | null;
    if (state?.v !== 1 || typeof state.atMs !== "number") return null;
    const { memory, starts, decision } = state;
    if (memory?.strategy !== "ratio" && memory?.strategy !== "throughput") return null;
    if (!hasShapeOf(memory, emptyMemory(memory.strategy)) || !hasShapeOf(starts, NO_STARTS)) return null;
    return typeof decision?.desired === "number" ? (state as State) : null;
  } catch {
    return null;
  }
}

/** Whether all is there that this version looks for: another one's memory must not make it stumble. */
function hasShapeOf(value: unknown, model: unknown): boolean {
  if (Array.isArray(model)) return Array.isArray(value);
  // What the model does not know yet, a value may.
  if (typeof model !== "object" || model === null) return model === null || typeof value === typeof model;
  if (typeof value !== "object" || value === null) return false;
  return Object.entries(model).every(([name, part]) => hasShapeOf(Reflect.get(value, name), part));
}
