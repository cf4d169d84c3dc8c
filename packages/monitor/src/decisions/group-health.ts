/**
 * The health of a group, from the trend of several looks and without a threshold for lag: a backlog of a million that
 * shrinks is well, one of ten that nobody touches is not. A quiet stream is never flagged. After LinkedIn's Burrow. What
 * keeps a verdict from flapping is part of the judgement, so that a verdict and its reason are always of the same look.
 */
import { compareEntryIds, type EntryId } from "@redis-batch/core/internal";
import type { GroupHealth } from "../report.ts";
import { describeDuration, describeMessages } from "./duration.ts";
import { isGrowing, LEAST_LOOKS } from "./growth.ts";

/** One look at a group. */
export interface GroupSample {
  readonly atMs: number;
  readonly lastDeliveredId: EntryId;
  /** The last id that was given to an entry of the stream. */
  readonly lastGeneratedId: EntryId;
  /** Messages that wait in the stream; `null` when it is not known. */
  readonly waiting: number | null;
  /** Whether `waiting` is the number, and not the least that it can be. */
  readonly isExact: boolean;
  readonly oldestWaitingAgeMs: number | null;
  /** Pending messages that were released: they wait for any consumer. */
  readonly released: number;
  readonly pending: number;
  readonly oldestPendingId: EntryId | null;
  /** Messages the group has read and that are not pending any more; `null` when the server does not know. */
  readonly finished: number | null;
  /** Messages that were ever moved to the group's dead letters. */
  readonly deadLettered: number;
  /** How many of what they finished its consumers dead-lettered since they began, and how many they acknowledged. */
  readonly told: { readonly acked: number; readonly deadLettered: number };
  /** When the last message was moved to the dead letters; `null` when none was. */
  readonly lastDeadLetterAtMs: number | null;
  /** Consumers that are there and not dead, idle or stopping, by what they are at. */
  readonly consumers: ConsumerCounts;
  /** How long a consumer of this group may be at one piece of work before its silence means something, in ms. */
  readonly patienceMs: number;
}

export interface ConsumerCounts {
  readonly living: number;
  /** Those of them whose work does not move. */
  readonly stalled: number;
  /** Those that fail on what they are given. */
  readonly failing: number;
  /** Those that take nothing on purpose. */
  readonly heldUp: number;
}

/** The looks at one group that its health is judged from, the oldest first, and what must outlive them. */
export interface GroupTrend {
  readonly samples: readonly GroupSample[];
  /** Since when neither a delivery nor an acknowledgement was seen. */
  readonly stillSinceMs: number;
  /** Where the group was before it was set back, until it has come there again. */
  readonly rewoundFrom: EntryId | null;
  /** Whether what waits grows. */
  readonly isBacklogGrowing: boolean;
  /** Whether the age of the oldest of it grows. */
  readonly isAgeGrowing: boolean;
}

// A backlog of some thousand changes by chance by a message or two, an age by the time between two adds.
const LEAST_BACKLOG_NOISE = 1;
const LEAST_AGE_NOISE_MS = 1_000;

/** Adds a look, and forgets the oldest: `looks` are kept, and one to compare them with. */
export function followTrend(before: GroupTrend | undefined, now: GroupSample, looks: number): GroupTrend {
  const last = before?.samples.at(-1);
  if (before === undefined || last === undefined) {
    const nothing = { rewoundFrom: null, isBacklogGrowing: false, isAgeGrowing: false };
    return { samples: [now], stillSinceMs: now.atMs, ...nothing };
  }
  const isStill =
    last.lastDeliveredId === now.lastDeliveredId &&
    last.pending === now.pending &&
    last.oldestPendingId === now.oldestPendingId &&
    last.finished === now.finished;
  const samples = [...before.samples, now].slice(-(looks + 1));
  const grows = (value: (sample: GroupSample) => number | null, was: boolean, leastNoise: number): boolean => {
    const values = samples.map(value);
    return values.every((one) => one !== null) && isGrowing(values, was, { looks, leastNoise });
  };
  const hasWaiting = now.waiting !== 0 || now.released > 0;
  return {
    samples,
    stillSinceMs: isStill ? before.stillSinceMs : now.atMs,
    rewoundFrom: followRewind(before.rewoundFrom, last, now),
    isBacklogGrowing: hasWaiting && grows(countWaiting, before.isBacklogGrowing, LEAST_BACKLOG_NOISE),
    isAgeGrowing: hasWaiting && grows((one) => one.oldestWaitingAgeMs ?? 0, before.isAgeGrowing, LEAST_AGE_NOISE_MS),
  };
}

/** How many wait to be offered; `null` when that is not known. */
const countWaiting = ({ waiting, isExact, released }: GroupSample): number | null =>
  waiting === null || !isExact ? null : waiting + released;

/** The position the group was set back from and has not come to again; `null` when it was not. */
function followRewind(before: EntryId | null, last: GroupSample, now: GroupSample): EntryId | null {
  const isBack = compareEntryIds(now.lastDeliveredId, last.lastDeliveredId) < 0;
  const from = before ?? (isBack ? last.lastDeliveredId : null);
  if (from === null || now.waiting === 0) return null;
  // What a failover has lost of the stream's end cannot be read again.
  const end = compareEntryIds(from, now.lastGeneratedId) > 0 ? now.lastGeneratedId : from;
  return compareEntryIds(now.lastDeliveredId, end) < 0 ? from : null;
}

export interface HealthVerdict {
  readonly health: GroupHealth;
  readonly reason: string;
}

/** Judges the last look in the light of those before it. */
export function classifyGroup(trend: GroupTrend): HealthVerdict {
  const last = trend.samples.at(-1);
  if (last === undefined) return unknown("it was not looked at yet");
  const { health, reason } = judge(trend, last);
  const { living, stalled, failing } = last.consumers;
  // Where not all of them are, the group goes on; what those hold does not.
  const hindered = stalled + failing;
  if (hindered === 0 || hindered === living) return { health, reason };
  return {
    health,
    reason: `${reason}; ${hindered} of ${all(living)} ${hindered === 1 ? "makes" : "make"} no progress`,
  };
}

function judge(trend: GroupTrend, last: GroupSample): HealthVerdict {
  const { lastDeliveredId, lastGeneratedId, waiting, pending } = last;
  if (compareEntryIds(lastDeliveredId, lastGeneratedId) > 0) {
    const reason = `its position, ${lastDeliveredId}, is ahead of the stream, whose last id is ${lastGeneratedId}: what is added is not delivered`;
    return { health: "AHEAD", reason };
  }
  const deadLettered = describeDeadLetters(trend.samples);
  if (waiting === 0 && pending === 0) {
    if (deadLettered !== null) return { health: "FAILING", reason: deadLettered };
    return { health: "OK", reason: "nothing waits, and nothing is pending" };
  }
  const hindered = judgeConsumers(last);
  if (hindered !== null) return hindered;
  const work = describeWork(last);
  if (trend.rewoundFrom !== null) {
    const reason = `its position was set back from ${trend.rewoundFrom} to ${lastDeliveredId} or before: messages come again; ${work}`;
    return { health: "REWOUND", reason };
  }
  if (deadLettered !== null) return { health: "FAILING", reason: `${deadLettered}; ${work}` };
  return judgeBacklog(trend, last, work);
}

/** What its consumers say; `null` when some of them work. */
function judgeConsumers(last: GroupSample): HealthVerdict | null {
  const { living, stalled, failing, heldUp } = last.consumers;
  // Only its age tells that there is a message at all.
  const hasWork = last.pending > 0 || last.waiting !== null || last.oldestWaitingAgeMs !== null;
  if (!hasWork || stalled + failing + heldUp < living) return null;
  const work = describeWork(last);
  if (living === 0) return { health: "STOPPED", reason: `${work}, and no consumer is there to work on them` };
  if (heldUp === living)
    return {
      health: "STOPPED",
      reason: `${work}, and ${living === 1 ? "the living consumer takes" : `the ${all(living)} take`} nothing`,
    };
  if (stalled === 0 && failing > 0) {
    return { health: "FAILING", reason: `${work}, and of ${all(living)} none gets its batches done` };
  }
  return { health: "STALLED", reason: `${work}, and of ${all(living)} none makes progress` };
}

const all = (living: number): string => (living === 1 ? "1 living consumer" : `${living} living consumers`);

/** What becomes of the work that waits. */
function judgeBacklog(trend: GroupTrend, last: GroupSample, work: string): HealthVerdict {
  const { samples, stillSinceMs } = trend;
  const { waiting, released } = last;
  const [first = last] = samples;
  if (waiting === null && !trend.isAgeGrowing) return unknown(`${work}; whether that grows cannot be told`);
  if (waiting === 0 && released === 0) return { health: "OK", reason: `${work}, and none waits` };
  const stillMs = last.atMs - stillSinceMs;
  if (stillMs >= last.patienceMs) {
    const reason = `${work}, and none was delivered or acknowledged for ${describeDuration(stillMs)}`;
    return { health: "STALLED", reason };
  }
  const spanMs = last.atMs - first.atMs;
  const [now, then] = [countWaiting(last), countWaiting(first)];
  if (trend.isBacklogGrowing && now !== null && then !== null) {
    const reason = `${work}, ${now - then} more than ${describeDuration(spanMs)} ago${describeAge(first, last)}`;
    return { health: "FALLING BEHIND", reason };
  }
  if (now === null && trend.isAgeGrowing) {
    return { health: "FALLING BEHIND", reason: `${work}, and they wait longer and longer${describeAge(first, last)}` };
  }
  if (samples.some((sample) => sample.waiting === 0 && sample.released === 0)) {
    return { health: "OK", reason: `${work}; within the last ${describeDuration(spanMs)} none did` };
  }
  if (samples.some((sample) => countWaiting(sample) === null)) {
    return unknown(`${work}; whether that grows cannot be told`);
  }
  if (samples.length < LEAST_LOOKS) {
    return unknown(`${work}; whether that grows takes ${LEAST_LOOKS} looks to tell`);
  }
  return { health: "OK", reason: `${work}, and does not grow${describeAge(first, last)}` };
}

/** How the wait of the oldest message has changed. */
function describeAge(first: GroupSample, last: GroupSample): string {
  const [then, now] = [first.oldestWaitingAgeMs, last.oldestWaitingAgeMs];
  if (now === null) return "";
  const was = then === null ? "" : `, and ${describeDuration(then)} then`;
  return `; the oldest has waited ${describeDuration(now)}${was}`;
}

// Fewer may be anybody's mistake.
const FEWEST_DEAD_LETTERS = 3;
const MOST_SHARE = 0.5;
// How long a dead-lettering says something of the present where there is no window yet.
const RECENTLY_MS = 300_000;

/** That the group dead-letters most of what it finishes; `null` when it does not, or there was too little to say. */
function describeDeadLetters(samples: readonly GroupSample[]): string | null {
  const [first] = samples;
  const last = samples.at(-1);
  if (first === undefined || last === undefined) return null;
  const deadLettered = last.deadLettered - first.deadLettered;
  const finished = countFinished(first, last, deadLettered);
  if (finished !== null && isMost(deadLettered, finished)) {
    const share = `${deadLettered} of the ${Math.max(finished, deadLettered)} messages it finished`;
    return `${share} in the last ${describeDuration(last.atMs - first.atMs)} went to the dead letters`;
  }
  // One that was not watched before: what its consumers say of themselves, if it is not history.
  if (samples.length > 1) return null;
  const { told, lastDeadLetterAtMs, atMs } = last;
  const isRecent = lastDeadLetterAtMs !== null && atMs - lastDeadLetterAtMs <= RECENTLY_MS;
  if (!isRecent || !isMost(told.deadLettered, sumTold(last))) return null;
  return `${told.deadLettered} of the ${sumTold(last)} messages its consumers finished since they began went to the dead letters`;
}

/** How many were finished from one look to another, at most; `null` where neither the server nor the consumers know. */
function countFinished(first: GroupSample, last: GroupSample, deadLettered: number): number | null {
  // A redriven message is pending once more, so that the count can go back.
  if (last.finished !== null) return Math.max(last.finished - (first.finished ?? 0), 0);
  const told = sumTold(last) - sumTold(first);
  // Somebody has left, and taken its count along.
  return told < deadLettered ? null : told;
}

const sumTold = ({ told }: GroupSample): number => told.acked + told.deadLettered;

const isMost = (deadLettered: number, finished: number): boolean =>
  deadLettered >= FEWEST_DEAD_LETTERS && deadLettered >= MOST_SHARE * finished;

const unknown = (reason: string): HealthVerdict => ({ health: "UNKNOWN", reason });

function describeWork({ waiting, isExact, pending, released, oldestWaitingAgeMs }: GroupSample): string {
  const parts: string[] = [];
  if (waiting === null) {
    parts.push(oldestWaitingAgeMs === null ? "it is not known how many messages wait" : "messages wait");
  } else if (waiting > 0) {
    parts.push(`${isExact ? "" : "at least "}${describeMessages(waiting)} ${waiting === 1 ? "waits" : "wait"}`);
  }
  if (pending > 0 || parts.length === 0) {
    const free = released > 0 ? `, ${released} of them released for any consumer` : "";
    parts.push(`${describeMessages(pending)} ${pending === 1 ? "is" : "are"} pending${free}`);
  }
  return parts.join(", ");
}
