/** The state that a leader saves for the next one (or for itself after a restart), as versioned JSON. */

import { emptyMemory, type ScalerMemory } from "./decisions/decide.ts";
import type { Decision } from "./decisions/decision.ts";
import { NO_STARTS, type StartsMemory } from "./decisions/starts.ts";
import { forgetful } from "./decisions/throughput.ts";
import type { ScalingPolicy } from "./options.ts";

interface State {
  readonly v: 1;
  /** When it was saved, by the server's clock, in milliseconds since 1970. */
  readonly atMs: number;
  readonly memory: ScalerMemory;
  readonly starts: StartsMemory;
  readonly decision: Decision;
}

// Older state is outdated, except for the consumers' throughput and start-up times.
const FRESH_MS = 60_000;

export function encodeState(state: Omit<State, "v">): string {
  return JSON.stringify({ v: 1, ...state } satisfies State);
}

/** The last leader's last decision; `null` if there is none that can be read. */
export function readDecision(text: string): Decision | null {
  return parse(text)?.decision ?? null;
}

export interface Recollection {
  readonly memory: ScalerMemory;
  readonly starts: StartsMemory;
}

/** The state to start with; `null` if there is none that this version and this strategy understand. */
export function recall(text: string, strategy: ScalingPolicy["strategy"], nowMs: number): Recollection | null {
  const state = parse(text);
  if (state?.memory.strategy !== strategy) return null;
  const { memory, starts, atMs } = state;
  const { isAlone } = memory;
  if (memory.strategy === "ratio" || nowMs - atMs <= FRESH_MS) return { memory, starts };
  const { processing, leadMs, moves, batchSize, concurrency } = memory.throughput;
  const learned = forgetful({ perSecond: processing.perSecond, leadMs });
  return {
    memory: { strategy: "throughput", throughput: { ...learned, moves, batchSize, concurrency }, isAlone },
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

/** Whether the memory has everything that this version needs: the memory of another version must not break it. */
function hasShapeOf(value: unknown, model: unknown): boolean {
  if (Array.isArray(model)) return Array.isArray(value);
  // A value may be set where the model has none yet.
  if (typeof model !== "object" || model === null) return model === null || typeof value === typeof model;
  if (typeof value !== "object" || value === null) return false;
  return Object.entries(model).every(([name, part]) => hasShapeOf(Reflect.get(value, name), part));
}
