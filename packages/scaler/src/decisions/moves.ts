/** The moves so far: when the next one is allowed, and whether they contradict each other. */

import type { Direction } from "./ratio.ts";

export interface MovesMemory {
  readonly lastOutAtMs: number | null;
  readonly lastInAtMs: number | null;
  readonly last: { readonly direction: Direction; readonly atMs: number } | null;
  /** When a move reversed the one before. */
  readonly reversedAtMs: readonly number[];
}

export const NO_MOVES: MovesMemory = { lastOutAtMs: null, lastInAtMs: null, last: null, reversedAtMs: [] };

export interface Cooldowns {
  readonly scaleOutCooldownMs: number;
  readonly scaleInCooldownMs: number;
}

// A move that undoes another one within this time is a reversal.
const REVERSAL_MS = 600_000;
const REVERSALS_OF_FLAPPING = 3;
const LONGEST_FACTOR = 8;

export function recordMove(memory: MovesMemory, direction: Direction, nowMs: number): MovesMemory {
  if (direction === "NO_SCALE") return memory;
  const { last } = memory;
  const isReversal = last !== null && last.direction !== direction && nowMs - last.atMs < REVERSAL_MS;
  const recent = memory.reversedAtMs.filter((atMs) => nowMs - atMs < REVERSAL_MS);
  return {
    lastOutAtMs: direction === "OUT" ? nowMs : memory.lastOutAtMs,
    lastInAtMs: direction === "IN" ? nowMs : memory.lastInAtMs,
    last: { direction, atMs: nowMs },
    reversedAtMs: isReversal ? [...recent, nowMs] : recent,
  };
}

/** Whether a move in this direction would follow the last one too soon. */
export function isCoolingDown(memory: MovesMemory, direction: Direction, cooldowns: Cooldowns, nowMs: number): boolean {
  if (direction === "NO_SCALE" || memory.last === null) return false;
  const cooldownMs = direction === "OUT" ? cooldowns.scaleOutCooldownMs : cooldowns.scaleInCooldownMs;
  return nowMs - memory.last.atMs < cooldownMs;
}

/** By what factor to keep consumers longer: 1, and more if moves keep contradicting each other. */
export function holdFactor({ reversedAtMs }: MovesMemory): number {
  return reversedAtMs.length < REVERSALS_OF_FLAPPING ? 1 : Math.min(LONGEST_FACTOR, reversedAtMs.length - 1);
}
