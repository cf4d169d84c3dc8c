/** The work of one worker so far, from its log. */
export interface WorkerTally {
  /** Its name in the group; `undefined` before it began to read. */
  readonly consumer: string | undefined;
  readonly batches: number;
  /** Messages in these batches. */
  readonly messages: number;
  /** Those of them that were new. */
  readonly added: number;
  /** Redelivered messages that it received. */
  readonly redelivered: number;
  /** When it began to read, and when it stored its last batch; `undefined` before. */
  readonly startedAtMs: number | undefined;
  readonly lastStoredAtMs: number | undefined;
}

export const NO_WORK: WorkerTally = {
  consumer: undefined,
  batches: 0,
  messages: 0,
  added: 0,
  redelivered: 0,
  startedAtMs: undefined,
  lastStoredAtMs: undefined,
};

interface LogLine {
  readonly at: string;
  readonly event: string;
  readonly consumer?: string;
  readonly messages?: number;
  readonly added?: number;
}

/** The display name of the worker at this index. */
export function workerName(place: number): string {
  return `worker ${place + 1}`;
}

/** Whether this line of a worker's log says that it has started to read. */
export function isStarted(line: string): boolean {
  return (JSON.parse(line) as LogLine).event === "started";
}

/** Adds one line of a worker's log to its tally. */
export function tallyLine(tally: WorkerTally, line: string): WorkerTally {
  const { at, event, consumer, messages = 0, added = 0 } = JSON.parse(line) as LogLine;
  switch (event) {
    case "started":
      return { ...tally, consumer, startedAtMs: Date.parse(at) };
    case "stored":
      return {
        ...tally,
        batches: tally.batches + 1,
        messages: tally.messages + messages,
        added: tally.added + added,
        lastStoredAtMs: Date.parse(at),
      };
    // What was deferred here, and what another worker had before.
    case "redelivered":
    case "claimed":
      return { ...tally, redelivered: tally.redelivered + messages };
    default:
      return tally;
  }
}

/** Seconds from the moment the first worker began to read to the last batch stored by any. */
export function workedSeconds(tallies: readonly WorkerTally[]): number {
  const starts = tallies.flatMap(({ startedAtMs = [] }) => startedAtMs);
  const ends = tallies.flatMap(({ lastStoredAtMs = [] }) => lastStoredAtMs);
  return Math.max(0, Math.max(...ends) - Math.min(...starts)) / 1_000;
}
