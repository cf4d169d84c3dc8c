/**
 * A consumer as the real one behaves: it collects a batch in memory, reads the next one ahead while it works, and reports its work
 * with each heartbeat only.
 */

import { NO_WORK, type WorkCounters } from "@redis-batch/core/internal/groups";
import type { Scenario } from "./scenario.ts";

/** A message, by its place in the traffic. */
export type Message = number;

export interface SimulatedConsumer {
  readonly id: number;
  readonly createdAt: number;
  readonly speed: number;
  state: "starting" | "idle" | "busy" | "gone";
  /** Counts up when what was planned for it no longer applies. */
  version: number;
  incarnation: number;
  /** When it began to work, for its warm-up. */
  upSince: number;
  crashedAt: number | null;
  isDraining: boolean;
  /** Whether it waits at the server for new messages. */
  isReading: boolean;
  /** When it next looks at what it holds; `Infinity`: not planned. */
  checkAt: number;
  /** Messages that a handler has. */
  batch: readonly Message[];
  batchSince: number;
  /** Messages in memory that no handler has yet, the oldest first, and since when. */
  held: { readonly message: Message; readonly since: number }[];
  /** How long its slow batches of late took. */
  slowSeconds: number;
  counters: WorkCounters;
  /** What the last heartbeat said. */
  reported: { readonly at: number; readonly counters: WorkCounters; readonly isFree: boolean };
}

type Reading = Pick<Scenario, "batchSize" | "prefetch" | "linger">;

// As in the real consumer: what is read ahead waits no longer than this for a place, or as long as a batch is collected.
const LEAST_PATIENCE = 1;
// A slow batch counts less with each one after it.
const SLOWLY = 0.9;
const EPSILON = 1e-9;
// Before the first batch.
const UNKNOWN = 1;

export function createConsumer(id: number, createdAt: number, speed: number): SimulatedConsumer {
  return {
    ...{ id, createdAt, speed, state: "starting", version: 0, incarnation: 1, upSince: 0, crashedAt: null },
    ...{ isDraining: false, isReading: false, checkAt: Number.POSITIVE_INFINITY, batch: [], batchSince: 0, held: [] },
    ...{ slowSeconds: UNKNOWN, counters: NO_WORK, reported: { at: createdAt, counters: NO_WORK, isFree: true } },
  };
}

/** How long a message waits in memory for a place until it is released, if another consumer has one. */
export function patienceOf({ linger }: Pick<Scenario, "linger">): number {
  return Math.max(linger, LEAST_PATIENCE);
}

/** How many more messages it reads now: a batch for a free place, and what it reads ahead, unless batches take long. */
export function roomOf(consumer: SimulatedConsumer, scenario: Reading, now: number): number {
  const { state, isDraining, held, slowSeconds, batchSince } = consumer;
  if (isDraining || (state !== "idle" && state !== "busy")) return 0;
  const batchTakes = Math.max(slowSeconds, state === "busy" ? now - batchSince : 0);
  const ahead = batchTakes <= patienceOf(scenario) ? scenario.prefetch : 0;
  return Math.max(0, scenario.batchSize * (ahead + (state === "idle" ? 1 : 0)) - held.length);
}

/**
 * The batch that it begins now: a full one, or what it has when the oldest has waited for `linger`. Empty: it has to wait. All of a
 * batch are of one partition.
 */
export function nextBatch(
  { held, state }: SimulatedConsumer,
  { batchSize, linger }: Reading,
  partitionOf: (message: Message) => number,
  now: number,
): readonly Message[] {
  const [oldest] = held;
  if (state !== "idle" || oldest === undefined) return [];
  if (held.length < batchSize && now - oldest.since < linger - EPSILON) return [];
  for (const partition of new Set(held.map(({ message }) => partitionOf(message)))) {
    const batch = held.filter(({ message }) => partitionOf(message) === partition).slice(0, batchSize);
    const isDue = batch.length === batchSize || now - (batch[0]?.since ?? now) >= linger - EPSILON;
    if (isDue) return batch.map(({ message }) => message);
  }
  return [];
}

/** What it has read ahead for longer than it should wait. */
export function lateOf({ held }: SimulatedConsumer, scenario: Reading, now: number): readonly Message[] {
  return held.filter(({ since }) => now - since >= patienceOf(scenario) - EPSILON).map(({ message }) => message);
}

/** Whether it said with its last heartbeat that it has a free place. */
export function isFreePlace({ reported, isDraining, state }: SimulatedConsumer): boolean {
  return reported.isFree && !isDraining && (state === "idle" || state === "busy");
}

/** A batch took this long. */
export function slowOf({ slowSeconds }: SimulatedConsumer, seconds: number): number {
  return Math.max(seconds, slowSeconds * SLOWLY);
}
