/**
 * How a group fares, from the trend of several looks and without a threshold for lag: a backlog of a million that
 * shrinks is well, one of ten that nobody touches is not. A quiet stream is never flagged. After LinkedIn's Burrow.
 */
import { compareEntryIds, type EntryId } from "@redis-batch/core/internal";
import type { GroupHealth } from "../report.ts";
import { describeDuration, describeMessages } from "./duration.ts";

/** One look at a group. */
export interface GroupSample {
  readonly atMs: number;
  readonly lastDeliveredId: EntryId;
  /** Messages that wait; `null` when it is not known. */
  readonly waiting: number | null;
  /** Whether `waiting` is the number, and not the least that it can be. */
  readonly isExact: boolean;
  readonly pending: number;
  readonly oldestPendingId: EntryId | null;
  /** Messages the group has read and that are not pending any more; `null` when the server does not know. */
  readonly finished: number | null;
  /** Consumers that are there and not dead, idle or stopping. */
  readonly living: number;
  /** Those of them whose work does not move. */
  readonly stalled: number;
  /** How long a consumer of this group may be at one piece of work before its silence means something, in ms. */
  readonly patienceMs: number;
}

/** The looks at one group that its health is judged from, the oldest first. */
export interface GroupTrend {
  readonly samples: readonly GroupSample[];
  /** Since when neither a delivery nor an acknowledgement was seen. */
  readonly stillSinceMs: number;
}

/** Adds a look, and forgets the oldest beyond `length`. */
export function followTrend(before: GroupTrend | undefined, now: GroupSample, length: number): GroupTrend {
  const last = before?.samples.at(-1);
  if (before === undefined || last === undefined) return { samples: [now], stillSinceMs: now.atMs };
  const isStill =
    last.lastDeliveredId === now.lastDeliveredId &&
    last.pending === now.pending &&
    last.oldestPendingId === now.oldestPendingId &&
    last.finished === now.finished;
  const samples = [...before.samples, now].slice(-length);
  return { samples, stillSinceMs: isStill ? before.stillSinceMs : now.atMs };
}

export interface HealthVerdict {
  readonly health: GroupHealth;
  readonly reason: string;
}

// Two points always make a line.
const LEAST_SAMPLES = 3;

/** Judges the last look in the light of those before it. */
export function classifyGroup({ samples, stillSinceMs }: GroupTrend): HealthVerdict {
  const [first] = samples;
  const last = samples.at(-1);
  if (first === undefined || last === undefined) return unknown("it was not looked at yet");
  const { waiting, pending } = last;
  if (waiting === null) return unknown("the server does not say how many messages wait");
  const work = describeWork(last, waiting);
  const rewoundFrom = findRewind(samples);
  if (rewoundFrom !== undefined) {
    const reason = `its position was set back from ${rewoundFrom} to ${last.lastDeliveredId}: messages come again`;
    return { health: "REWOUND", reason };
  }
  if (waiting === 0 && pending === 0) return { health: "OK", reason: "nothing waits, and nothing is pending" };
  if (last.living === 0) return { health: "STOPPED", reason: `${work}, and no consumer is there to work on them` };
  if (last.stalled === last.living) {
    return { health: "STALLED", reason: `${work}, and of ${last.living} living consumers none makes progress` };
  }
  if (waiting === 0) return { health: "OK", reason: `${work}, and none waits` };
  const stillMs = last.atMs - stillSinceMs;
  if (samples.length < LEAST_SAMPLES)
    return unknown(`${work}; whether that grows takes ${LEAST_SAMPLES} looks to tell`);
  if (stillMs >= last.patienceMs) {
    const reason = `${work}, and none was delivered or acknowledged for ${describeDuration(stillMs)}`;
    return { health: "STALLED", reason };
  }
  const spanMs = last.atMs - first.atMs;
  if (samples.some((sample) => sample.waiting === 0)) {
    return { health: "OK", reason: `${work}; within the last ${describeDuration(spanMs)} none did` };
  }
  if (samples.some((sample) => sample.waiting === null || !sample.isExact)) {
    return unknown(`${work}; whether that grows cannot be told`);
  }
  const never = samples.every((sample, index) => index === 0 || amount(sample) >= amount(samples[index - 1]));
  if (never && waiting > amount(first)) {
    const reason = `${work}, ${waiting - amount(first)} more than ${describeDuration(spanMs)} ago, and never fewer`;
    return { health: "FALLING BEHIND", reason };
  }
  return { health: "OK", reason: `${work}, and the group keeps up` };
}

const amount = (sample: GroupSample | undefined): number => sample?.waiting ?? 0;

const unknown = (reason: string): HealthVerdict => ({ health: "UNKNOWN", reason });

function describeWork({ pending, isExact }: GroupSample, waiting: number): string {
  const waits = `${isExact ? "" : "at least "}${describeMessages(waiting)} ${waiting === 1 ? "waits" : "wait"}`;
  const held = `${describeMessages(pending)} ${pending === 1 ? "is" : "are"} pending`;
  if (waiting === 0) return held;
  return pending === 0 ? waits : `${waits}, ${held}`;
}

/** The position the group was set back from and has not come to again; `undefined` when it was not. */
function findRewind(samples: readonly GroupSample[]): EntryId | undefined {
  let furthest: EntryId | undefined;
  for (const { lastDeliveredId } of samples) {
    if (furthest === undefined || compareEntryIds(lastDeliveredId, furthest) > 0) furthest = lastDeliveredId;
  }
  const now = samples.at(-1)?.lastDeliveredId;
  return furthest !== undefined && now !== undefined && compareEntryIds(now, furthest) < 0 ? furthest : undefined;
}

/** A verdict that has settled, and one that may become the next. */
export interface SettledHealth {
  readonly verdict: HealthVerdict;
  /** Judged once, and not yet a second time. */
  readonly candidate: GroupHealth | null;
}

/**
 * Changes the health only when two looks after each other agree, so that it does not flap; at once where it was, or
 * becomes, unknown. The reason is always the latest that supports it.
 */
export function settleHealth(before: SettledHealth | undefined, now: HealthVerdict): SettledHealth {
  const settled = before?.verdict;
  const isCertain =
    settled === undefined ||
    settled.health === now.health ||
    settled.health === "UNKNOWN" ||
    now.health === "UNKNOWN" ||
    before?.candidate === now.health;
  return isCertain ? { verdict: now, candidate: null } : { verdict: settled, candidate: now.health };
}
