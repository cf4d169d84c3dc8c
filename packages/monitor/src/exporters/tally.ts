import type { MonitorEvent } from "../events.ts";

/** What one monitor did since it was started, counted from its events. */
export interface TallyCounts {
  readonly stream: string;
  /** `null` until the monitor has tried. */
  readonly connected: boolean | null;
  /** `null` until it is decided. */
  readonly leading: boolean | null;
  readonly looks: number;
  /** The time the looks took together, in milliseconds. */
  readonly lookMs: number;
  readonly failedPasses: number;
  readonly disconnections: number;
  readonly handedOverMessages: number;
  readonly pendingTrimmedMessages: number;
  readonly removedConsumers: number;
  readonly trimmedEntries: number;
}

/** Adds one event to the counts. */
function countEvent(counts: TallyCounts, event: MonitorEvent): TallyCounts {
  switch (event.type) {
    case "connected":
      return { ...counts, connected: true };
    case "disconnected":
      return { ...counts, connected: false, disconnections: counts.disconnections + 1 };
    case "leading":
      return { ...counts, leading: true };
    case "following":
      return { ...counts, leading: false };
    case "inspected":
      return { ...counts, looks: counts.looks + 1, lookMs: counts.lookMs + event.durationMs };
    case "passFailed":
      return { ...counts, failedPasses: counts.failedPasses + 1 };
    case "handedOver":
      return { ...counts, handedOverMessages: counts.handedOverMessages + event.messages };
    case "pendingTrimmed":
      return { ...counts, pendingTrimmedMessages: counts.pendingTrimmedMessages + event.messages };
    case "consumerRemoved":
      return { ...counts, removedConsumers: counts.removedConsumers + 1 };
    case "trimmed":
      return { ...counts, trimmedEntries: counts.trimmedEntries + event.entries };
    case "closed":
      return { ...counts, connected: false, leading: false };
    default:
      // What the others tell is in the report, with its present state.
      return counts;
  }
}

/**
 * Counts what a monitor does, for the `redis_batch_monitor_…` metrics: its `observe` goes into the monitor's `observer`
 * (or is called from there), the tally itself into the exporter's `tally`. By stream only, so that its size is fixed.
 */
export class MonitorTally {
  #counts: TallyCounts;

  /** @param stream the stream of the monitor whose events it will see */
  constructor(stream: string) {
    this.#counts = {
      stream,
      connected: null,
      leading: null,
      looks: 0,
      lookMs: 0,
      failedPasses: 0,
      disconnections: 0,
      handedOverMessages: 0,
      pendingTrimmedMessages: 0,
      removedConsumers: 0,
      trimmedEntries: 0,
    };
  }

  /** Counts an event. Bound to the tally: it can be passed on as it is. */
  readonly observe = (event: MonitorEvent): void => {
    this.#counts = countEvent(this.#counts, event);
  };

  /** The counts so far. */
  get counts(): TallyCounts {
    return this.#counts;
  }
}
