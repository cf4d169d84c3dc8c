/**
 * The health of a group, from the trend of several passes and without a threshold for lag: a backlog of a million that
 * shrinks is fine, one of ten that no consumer touches is not. A quiet stream is never flagged. After LinkedIn's Burrow.
 * The protection against flapping is part of the judgement, so that a verdict and its reason always belong to one pass.
 */
import { compareEntryIds, type EntryId } from "@redis-batch/core";
import { describeCount, describeMessages } from "@redis-batch/core/internal/errors";
import { describePause } from "@redis-batch/core/internal/groups";
import { quoteName } from "@redis-batch/core/internal/names";
import type { GroupHealth, PauseReport } from "../report.ts";
import { describeDuration } from "./duration.ts";
import { isGrowing, LEAST_PASSES } from "./growth.ts";

/** One snapshot of a group. */
export interface GroupSample {
  readonly atMs: number;
  readonly lastDeliveredId: EntryId;
  /** The id of the last entry that was added to the stream. */
  readonly lastGeneratedId: EntryId;
  /** Messages that wait in the stream; `null` if unknown. */
  readonly waiting: number | null;
  /** Whether `waiting` is exact, not a lower bound. */
  readonly isExact: boolean;
  readonly oldestWaitingAgeMs: number | null;
  /** Pending messages that were released: they wait for any consumer. */
  readonly released: number;
  readonly pending: number;
  readonly oldestPendingId: EntryId | null;
  /** Messages that the group has read and that are no longer pending; `null` if the server does not know. */
  readonly finished: number | null;
  /** Messages that were ever moved to the group's dead letters. */
  readonly deadLettered: number;
  /** How many messages its consumers have dead-lettered and acknowledged since their start. */
  readonly reported: { readonly acked: number; readonly deadLettered: number };
  /** When the last message was moved to the dead letters; `null` if none was. */
  readonly lastDeadLetterAtMs: number | null;
  /** Consumers that are not dead, idle or stopping, by their state. */
  readonly consumers: ConsumerCounts;
  /** The pause that is in force; `null`: the group is not paused. */
  readonly pause: PauseReport | null;
  /** Pending messages that wait behind an earlier one of their key, and the number of these keys, as consumers say. */
  readonly blocked: { readonly messages: number; readonly keys: number };
  /** Whether messages wait for the rate of the group: then nothing may happen for long. */
  readonly isRateLimited: boolean;
  /** How long a consumer of this group may process one batch before a lack of progress is reported, in ms. */
  readonly patienceMs: number;
}

export interface ConsumerCounts {
  readonly living: number;
  /** Those that make no progress. */
  readonly stalled: number;
  /** Those that fail on their messages. */
  readonly failing: number;
  /** Those that take no messages on purpose. */
  readonly heldUp: number;
}

/** The snapshots of one group that its health is judged by, oldest first, and the state that outlives them. */
export interface GroupTrend {
  readonly samples: readonly GroupSample[];
  /** Since when there has been neither a delivery nor an acknowledgement. */
  readonly stillSinceMs: number;
  /** The group's position before it was moved back, until it has reached it again. */
  readonly rewoundFrom: EntryId | null;
  /** Whether the number of waiting messages grows. */
  readonly isBacklogGrowing: boolean;
  /** Whether the age of the oldest waiting message grows. */
  readonly isAgeGrowing: boolean;
}

// A backlog of some thousand varies by a message or two at random, an age by the time between two adds.
const LEAST_BACKLOG_NOISE = 1;
const LEAST_AGE_NOISE_MS = 1_000;
// A sentence with more names is not read.
const MOST_NAMES = 3;

/** Adds a snapshot, and drops the oldest: keeps `passes` of them, and one to compare them with. */
export function followTrend(before: GroupTrend | undefined, now: GroupSample, passes: number): GroupTrend {
  const last = before?.samples.at(-1);
  // What piled up during a pause says nothing about those who work afterwards.
  if (before === undefined || last === undefined || last.pause !== null) {
    const rewoundFrom = last === undefined ? null : followRewind(before?.rewoundFrom ?? null, last, now);
    return { samples: [now], stillSinceMs: now.atMs, rewoundFrom, isBacklogGrowing: false, isAgeGrowing: false };
  }
  const isStill =
    last.lastDeliveredId === now.lastDeliveredId &&
    last.pending === now.pending &&
    last.oldestPendingId === now.oldestPendingId &&
    last.finished === now.finished;
  const samples = [...before.samples, now].slice(-(passes + 1));
  const grows = (value: (sample: GroupSample) => number | null, was: boolean, leastNoise: number): boolean => {
    const values = samples.map(value);
    return values.every((one) => one !== null) && isGrowing(values, was, { passes, leastNoise });
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

/** How many messages wait to be delivered; `null` if unknown. */
const countWaiting = ({ waiting, isExact, released }: GroupSample): number | null =>
  waiting === null || !isExact ? null : waiting + released;

/** The position that the group was moved back from and has not reached again; `null` if there is none. */
function followRewind(before: EntryId | null, last: GroupSample, now: GroupSample): EntryId | null {
  const isBack = compareEntryIds(now.lastDeliveredId, last.lastDeliveredId) < 0;
  const from = before ?? (isBack ? last.lastDeliveredId : null);
  if (from === null || now.waiting === 0) return null;
  // Entries that were lost in a failover cannot be read again.
  const end = compareEntryIds(from, now.lastGeneratedId) > 0 ? now.lastGeneratedId : from;
  return compareEntryIds(now.lastDeliveredId, end) < 0 ? from : null;
}

export interface HealthVerdict {
  readonly health: GroupHealth;
  readonly reason: string;
}

/** Judges the last snapshot in the light of those before it. */
export function classifyGroup(trend: GroupTrend): HealthVerdict {
  const last = trend.samples.at(-1);
  if (last === undefined) return unknown("there is no snapshot of it yet");
  const { health, reason } = judge(trend, last);
  const { living, stalled, failing } = last.consumers;
  // If only some of them are, the group continues, but the messages that they hold do not.
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
    const reason = `its position, ${lastDeliveredId}, is ahead of the stream, whose last id is ${lastGeneratedId}: new messages are not delivered`;
    return { health: "AHEAD", reason };
  }
  if (last.pause !== null)
    return { health: "PAUSED", reason: `${describePauseOf(last, last.pause)}; ${describeWork(last)}` };
  const deadLettered = describeDeadLetters(trend.samples);
  if (waiting === 0 && pending === 0) {
    if (deadLettered !== null) return { health: "FAILING", reason: deadLettered };
    return { health: "OK", reason: "no messages are waiting or pending" };
  }
  const hindered = judgeConsumers(last);
  if (hindered !== null) return hindered;
  const work = describeWork(last);
  if (trend.rewoundFrom !== null) {
    const reason = `its position was moved back from ${trend.rewoundFrom} to ${lastDeliveredId} or before, so messages are redelivered; ${work}`;
    return { health: "REWOUND", reason };
  }
  if (deadLettered !== null) return { health: "FAILING", reason: `${deadLettered}; ${work}` };
  return judgeBacklog(trend, last, work);
}

/** Who paused it, when, why, for how long, and who goes on all the same. */
function describePauseOf({ atMs }: GroupSample, pause: PauseReport): string {
  const since = `${describePause(pause)} ${describeDuration(Math.max(atMs - pause.sinceMs, 0))} ago`;
  const until =
    pause.untilMs === null ? "until it is resumed" : `for another ${describeDuration(pause.untilMs - atMs)}`;
  const others = pause.notObeyedBy;
  if (others.length === 0) return `${since}, ${until}`;
  const names = others.slice(0, MOST_NAMES).map(quoteName).join(", ");
  const more = others.length > MOST_NAMES ? ` and ${others.length - MOST_NAMES} more` : "";
  return `${since}, ${until}, but ${names}${more} ${others.length === 1 ? "goes" : "go"} on: not of Redis Batch, or of an earlier version`;
}

/** The verdict by its consumers; `null` if some of them work. */
function judgeConsumers(last: GroupSample): HealthVerdict | null {
  const { living, stalled, failing, heldUp } = last.consumers;
  // If the number is unknown, the age shows whether a message waits at all.
  const hasWork = last.pending > 0 || last.waiting !== null || last.oldestWaitingAgeMs !== null;
  if (!hasWork || stalled + failing + heldUp < living) return null;
  const work = describeWork(last);
  if (living === 0) return { health: "STOPPED", reason: `${work}, but there are no active consumers` };
  if (heldUp === living)
    return {
      health: "STOPPED",
      reason: `${work}, but ${living === 1 ? "the only live consumer takes" : `the ${all(living)} take`} no messages`,
    };
  if (stalled === 0 && failing > 0) {
    return {
      health: "FAILING",
      reason: `${work}, but ${living === 1 ? "the only live consumer" : `none of ${all(living)}`} finishes ${living === 1 ? "no batches" : "its batches"}`,
    };
  }
  return {
    health: "STALLED",
    reason: `${work}, but ${living === 1 ? "the only live consumer makes no progress" : `none of ${all(living)} makes progress`}`,
  };
}

const all = (living: number): string => (living === 1 ? "1 live consumer" : `${living} live consumers`);

/** The verdict by the backlog. */
function judgeBacklog(trend: GroupTrend, last: GroupSample, work: string): HealthVerdict {
  const { samples, stillSinceMs } = trend;
  const { waiting, released } = last;
  const [first = last] = samples;
  if (waiting === null && !trend.isAgeGrowing) return unknown(`${work}; it is unknown whether the backlog grows`);
  if (waiting === 0 && released === 0) {
    // To those who read it, a message behind another one is waiting, too.
    const where = last.blocked.messages > 0 ? " in the stream" : "";
    return { health: "OK", reason: `${work}, and none is waiting${where}` };
  }
  const stillMs = last.atMs - stillSinceMs;
  if (stillMs >= last.patienceMs && !last.isRateLimited) {
    const reason = `${work}, but none was delivered or acknowledged for ${describeDuration(stillMs)}`;
    return { health: "STALLED", reason };
  }
  const spanMs = last.atMs - first.atMs;
  const [now, then] = [countWaiting(last), countWaiting(first)];
  const limited = last.isRateLimited ? "; they wait for the group's rate limit" : "";
  if (trend.isBacklogGrowing && now !== null && then !== null) {
    const reason = `${work}, ${now - then} more than ${describeDuration(spanMs)} ago${describeAge(first, last)}${limited}`;
    return { health: "FALLING BEHIND", reason };
  }
  if (now === null && trend.isAgeGrowing) {
    return { health: "FALLING BEHIND", reason: `${work}, and their waiting time grows${describeAge(first, last)}` };
  }
  if (samples.some((sample) => sample.waiting === 0 && sample.released === 0)) {
    return {
      health: "OK",
      reason: `${work}, but at some point in the last ${describeDuration(spanMs)} none was waiting`,
    };
  }
  if (samples.some((sample) => countWaiting(sample) === null)) {
    return unknown(`${work}; it is unknown whether the backlog grows`);
  }
  if (samples.length < LEAST_PASSES) {
    return unknown(`${work}; it takes ${LEAST_PASSES} passes to see whether the backlog grows`);
  }
  return { health: "OK", reason: `${work}, and the backlog does not grow${describeAge(first, last)}${limited}` };
}

/** How the waiting time of the oldest message has changed. */
function describeAge(first: GroupSample, last: GroupSample): string {
  const [then, now] = [first.oldestWaitingAgeMs, last.oldestWaitingAgeMs];
  if (now === null) return "";
  const was = then === null ? "" : ` (${describeDuration(then)} earlier)`;
  return `; the oldest has waited ${describeDuration(now)}${was}`;
}

// Fewer may be a coincidence.
const FEWEST_DEAD_LETTERS = 3;
const MOST_SHARE = 0.5;
// How long a dead letter counts as recent while there is no window yet.
const RECENTLY_MS = 300_000;

/** Says that the group dead-letters most messages it finishes; `null` if it does not, or there are too few. */
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
  // In the first pass: the counts that its consumers report, if the last dead letter is recent.
  if (samples.length > 1) return null;
  const { reported, lastDeadLetterAtMs, atMs } = last;
  const isRecent = lastDeadLetterAtMs !== null && atMs - lastDeadLetterAtMs <= RECENTLY_MS;
  if (!isRecent || !isMost(reported.deadLettered, sumReported(last))) return null;
  return `${reported.deadLettered} of the ${sumReported(last)} messages its consumers have finished since their start went to the dead letters`;
}

/** How many messages were finished between two passes, at most; `null` if neither the server nor the consumers know. */
function countFinished(first: GroupSample, last: GroupSample, deadLettered: number): number | null {
  // A redriven message is pending again, so the count can decrease.
  if (last.finished !== null) return Math.max(last.finished - (first.finished ?? 0), 0);
  const reported = sumReported(last) - sumReported(first);
  // A consumer has left, and its count with it.
  return reported < deadLettered ? null : reported;
}

const sumReported = ({ reported }: GroupSample): number => reported.acked + reported.deadLettered;

const isMost = (deadLettered: number, finished: number): boolean =>
  deadLettered >= FEWEST_DEAD_LETTERS && deadLettered >= MOST_SHARE * finished;

const unknown = (reason: string): HealthVerdict => ({ health: "UNKNOWN", reason });

function describeWork({ waiting, isExact, pending, released, blocked, oldestWaitingAgeMs }: GroupSample): string {
  const parts: string[] = [];
  if (waiting === null) {
    parts.push(oldestWaitingAgeMs === null ? "the number of waiting messages is unknown" : "messages are waiting");
  } else if (waiting > 0) {
    parts.push(`${isExact ? "" : "at least "}${describeMessages(waiting)} ${waiting === 1 ? "is" : "are"} waiting`);
  }
  if (pending > 0 || parts.length === 0) {
    const free = released > 0 ? `, ${released} of them released for any consumer` : "";
    parts.push(
      `${describeMessages(pending)} ${pending === 1 ? "is" : "are"} pending${free}${describeBlocked(blocked, pending)}`,
    );
  }
  return parts.join(", ");
}

function describeBlocked({ messages, keys }: GroupSample["blocked"], pending: number): string {
  // What the consumers say is a few seconds old.
  const behind = Math.min(messages, pending);
  return behind === 0
    ? ""
    : `, ${behind} of them behind an earlier message of the same key (${describeCount(keys, "key")} blocked)`;
}
