/** Reads a worker's view of things out of its journal, and out of what the faults noted. */
import { streamOf } from "../entry.ts";
import type { WorkerLine } from "../journal.ts";
import { isSuspect } from "./bounds.ts";
import { mergeSpans, type Span } from "./spans.ts";
import type { Call, WorkerView } from "./worker-view.ts";

export interface JournalFacts {
  readonly worker: string;
  readonly name: string;
  /** Which of several streams; empty: there is only one. */
  readonly stream: string;
  /** Whether the stream is a partition, which only its owner reads. */
  readonly isPartition: boolean;
  readonly isOld: boolean;
  readonly lines: readonly WorkerLine[];
  /** Whether the process is gone. */
  readonly hasEnded: boolean;
  /** When a fault kept it from the server. */
  readonly away: readonly Span[];
  /** When a fault slowed it down: it still holds what it has. */
  readonly slowed: readonly Span[];
  /** The ids of messages on which some handler hung: each of them is offered alone afterwards. */
  readonly hung: ReadonlySet<string>;
  readonly maxDeliveries: number;
  readonly maxWaitMs: number;
  readonly maxHoldMs: number;
}

/** A gap in the journal beyond this means that the process was frozen; it writes a line every 50 ms. */
const STANDSTILL_MS = 200;
/** How long after the last fault it may take until it is connected again. */
const RECONNECT_MS = 10_000;
/** How long a process may take from its first line until it is connected, when there is no fault. */
const START_MS = 10_000;
/** When an attempt of the open breaker is due, how long it may take to have a message for it. */
const PROBE_MS = 1_000;
/** How long a key may hold up all others: until its first message has failed three times, or is given up. */
const KEY_BLOCKED_MS = 12_000;
/** How long a process may call itself unfit after the last batch that failed. */
const UNFIT_MS = 10_000;

/** The consumer's own events that matter here. */
interface Told {
  readonly type: string;
  readonly retryInMs?: number;
  readonly by?: string;
  readonly stream?: string;
}

/**
 * Every excuse ends by itself: a worker that is not connected a while after the last fault, or whose breaker does not
 * try again when it should, counts as one that could work. So what waits for it is overdue.
 */
export function viewOf({ lines: all, hasEnded, ...facts }: JournalFacts): WorkerView {
  const lines = facts.stream === "" ? all : all.filter((line) => concerns(toldBy(line), facts));
  const fromMs = lines[0]?.t ?? 0;
  const lastMs = lines.at(-1)?.t ?? fromMs;
  const calls = callsOf(lines, facts);
  const faults = mergeSpans([...facts.away, ...facts.slowed]);
  const disconnected = awaySpans(lines, lastMs);
  const standstills = standstillsOf(lines);
  const closing = lines.find(({ e }) => e === "closing")?.t;
  const closed = lines.some((line) => line.e === "closed" || (line.e === "note" && line.text.startsWith("stopped ")));
  const excused = [
    ...standstills,
    ...faults,
    ...disconnected.map((span) => limited(span, RECONNECT_MS, faults)),
    ...starts(lines, facts, { fromMs, toMs: lastMs }, faults),
    ...backingOff(lines, calls, lastMs, facts),
    ...resting(lines, lastMs),
    ...unfit(lines, lastMs),
    ...(closing === undefined ? [] : [{ fromMs: closing, toMs: Math.max(lastMs, closing + 1) }]),
  ];
  return {
    ...{ worker: facts.worker, name: facts.name, stream: facts.stream, isOld: facts.isOld, fromMs, calls },
    toMs: hasEnded ? lastMs : undefined,
    end: hasEnded ? (closed ? "closed" : "died") : undefined,
    places: lines.find((line) => line.e === "places")?.places ?? 1,
    cutOff: mergeSpans([...standstills, ...facts.away, ...disconnected]),
    excused: mergeSpans(excused.filter((span) => span.toMs > span.fromMs)),
    owned: facts.isPartition ? owning(lines, lastMs) : undefined,
    intakeHeld: mergeSpans(keyBlocked(lines, lastMs).map((span) => limited(span, KEY_BLOCKED_MS, faults))),
  };
}

/** Partitions have one sink, so what is found out about it in one of them holds for all. */
function concerns(
  told: Told | undefined,
  { stream, isPartition }: Pick<JournalFacts, "stream" | "isPartition">,
): boolean {
  if (told?.stream === undefined || told.stream === stream) return true;
  return isPartition && ["backingOff", "resumed", "unfit", "fit"].includes(told.type);
}

function callsOf(
  lines: readonly WorkerLine[],
  { maxDeliveries, hung, stream }: Pick<JournalFacts, "maxDeliveries" | "hung" | "stream">,
): Call[] {
  const calls: Mutable<Call>[] = [];
  const open = new Map<number, Mutable<Call>>();
  for (const line of lines) {
    if (line.e === "offered" && line.call !== undefined) {
      const [only, ...others] = line.messages;
      const isAlone = only !== undefined && others.length === 0 && streamOf(only[1]) === stream;
      const call = {
        fromMs: line.t,
        toMs: undefined,
        isSuspect: isAlone && (isSuspect(only[2], maxDeliveries) || (only[2] > 1 && hung.has(only[1]))),
      };
      calls.push(call);
      open.set(line.call, call);
    }
    if (line.e === "ended") {
      const call = open.get(line.call);
      if (call !== undefined) call.toMs = line.t;
    }
  }
  return calls;
}

function standstillsOf(lines: readonly WorkerLine[]): Span[] {
  const spans: Span[] = [];
  for (let index = 1; index < lines.length; index++) {
    const [before, after] = [lines[index - 1] as WorkerLine, lines[index] as WorkerLine];
    if (after.t - before.t > STANDSTILL_MS) spans.push({ fromMs: before.t, toMs: after.t });
  }
  return spans;
}

/** While a stream cannot be worked on, and is tried again when it said it would. */
function resting(lines: readonly WorkerLine[], lastMs: number): Span[] {
  const told = lines.flatMap((line) => {
    const event = toldBy(line);
    return event?.type === "streamFailed" || event?.type === "streamResumed" ? [{ atMs: line.t, ...event }] : [];
  });
  return told.flatMap(({ type, atMs, retryInMs = 0 }, index): Span[] =>
    type === "streamFailed"
      ? [{ fromMs: atMs, toMs: Math.min(atMs + retryInMs + START_MS, told[index + 1]?.atMs ?? lastMs) }]
      : [],
  );
}

/** While it reads nothing new, because one key has too many messages. */
function keyBlocked(lines: readonly WorkerLine[], lastMs: number): Span[] {
  const told = lines.flatMap((line) => {
    const event = toldBy(line);
    return event?.type === "intakeHeld" || event?.type === "intakeOpened" ? [{ atMs: line.t, ...event }] : [];
  });
  return told.flatMap(({ by, atMs }, index): Span[] =>
    by === "key-blocked" ? [{ fromMs: atMs, toMs: told[index + 1]?.atMs ?? lastMs }] : [],
  );
}

/** When one of its connections was down. */
function awaySpans(lines: readonly WorkerLine[], lastMs: number): Span[] {
  const spans: Span[] = [];
  const since = new Map<string, number>();
  for (const line of lines) {
    if (line.e === "away" && !since.has(line.role)) since.set(line.role, line.t);
    if (line.e === "back") {
      const awayMs = since.get(line.role);
      if (awayMs !== undefined) spans.push({ fromMs: awayMs, toMs: line.t });
      since.delete(line.role);
    }
  }
  for (const awayMs of since.values()) spans.push({ fromMs: awayMs, toMs: lastMs });
  return mergeSpans(spans);
}

/** Until the consumer says that it has started: once, or each time that it has taken the partition. */
function starts(
  lines: readonly WorkerLine[],
  { isPartition }: Pick<JournalFacts, "isPartition">,
  { fromMs, toMs: lastMs }: Span,
  faults: readonly Span[],
): Span[] {
  const begins = isPartition ? owning(lines, lastMs).map((span) => span.fromMs) : [fromMs];
  return begins.map((beginMs) => {
    const started = lines.find((line) => line.t >= beginMs && toldBy(line)?.type === "started");
    return limited({ fromMs: beginMs, toMs: started?.t ?? lastMs }, START_MS, faults);
  });
}

/** From the moment in which it says that it owns the partition until it says that it does not, or to its end. */
function owning(lines: readonly WorkerLine[], lastMs: number): Span[] {
  const spans: Span[] = [];
  let sinceMs: number | undefined;
  for (const line of lines) {
    const type = toldBy(line)?.type;
    if (type === "partitionTaken") sinceMs ??= line.t;
    if ((type === "partitionGivenUp" || type === "partitionLost") && sinceMs !== undefined) {
      spans.push({ fromMs: sinceMs, toMs: line.t });
      sinceMs = undefined;
    }
  }
  if (sinceMs !== undefined) spans.push({ fromMs: sinceMs, toMs: lastMs });
  return spans;
}

/** An excuse that lasts until a while after the last fault that fell into it. */
function limited({ fromMs, toMs }: Span, limitMs: number, faults: readonly Span[]): Span {
  let endMs = fromMs + limitMs;
  for (const fault of faults) {
    if (fault.fromMs <= endMs && fault.toMs > fromMs) endMs = Math.max(endMs, fault.toMs + limitMs);
  }
  return { fromMs, toMs: Math.min(toMs, endMs) };
}

/** While the breaker is open, and tries again when it said it would. */
function backingOff(
  lines: readonly WorkerLine[],
  calls: readonly Call[],
  lastMs: number,
  { maxWaitMs, maxHoldMs }: Pick<JournalFacts, "maxWaitMs" | "maxHoldMs">,
): Span[] {
  const told = lines.flatMap((line) => {
    const event = toldBy(line);
    return event?.type === "backingOff" || event?.type === "resumed" ? [{ atMs: line.t, ...event }] : [];
  });
  return told.flatMap(({ type, atMs, retryInMs = 0 }, index): Span[] => {
    if (type !== "backingOff") return [];
    const nextMs = told[index + 1]?.atMs ?? lastMs;
    let toMs = atMs + retryInMs + maxWaitMs + PROBE_MS;
    // An attempt that is under way is one, until it has been held too long.
    for (let at = firstFrom(calls, atMs); at < calls.length && (calls[at] as Call).fromMs <= toMs; at++) {
      const call = calls[at] as Call;
      const endMs = Math.min(call.toMs ?? Number.POSITIVE_INFINITY, call.fromMs + maxHoldMs);
      toMs = Math.max(toMs, endMs + PROBE_MS);
    }
    return [{ fromMs: atMs, toMs: Math.min(toMs, nextMs) }];
  });
}

/** The index of the first call that begins after a moment; they are in order. */
function firstFrom(calls: readonly Call[], atMs: number): number {
  let low = 0;
  let high = calls.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((calls[middle] as Call).fromMs > atMs) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** While it takes itself to be broken, as long as its batches fail. */
function unfit(lines: readonly WorkerLine[], lastMs: number): Span[] {
  const spans: Span[] = [];
  let sinceMs: number | undefined;
  let untilMs = 0;
  for (const line of lines) {
    const type = toldBy(line)?.type;
    if (line.e === "ended" && line.threw) untilMs = line.t + UNFIT_MS;
    if (type === "unfit") {
      sinceMs ??= line.t;
      untilMs = Math.max(untilMs, line.t + UNFIT_MS);
    }
    if (type === "fit" && sinceMs !== undefined) {
      spans.push({ fromMs: sinceMs, toMs: Math.min(line.t, untilMs) });
      sinceMs = undefined;
    }
  }
  if (sinceMs !== undefined) spans.push({ fromMs: sinceMs, toMs: Math.min(lastMs, untilMs) });
  return spans;
}

function toldBy(line: WorkerLine): Told | undefined {
  // Most lines are ticks; only these are of interest, and parsing all notes takes long.
  if (
    line.e !== "note" ||
    !/^\{"type":"(started|backingOff|resumed|streamFailed|streamResumed|unfit|fit|intakeHeld|intakeOpened|partitionTaken|partitionGivenUp|partitionLost)"/.test(
      line.text,
    )
  )
    return undefined;
  return JSON.parse(line.text) as Told;
}

type Mutable<T> = { -readonly [Name in keyof T]: T[Name] };
