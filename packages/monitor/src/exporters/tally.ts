import type { MonitorEvent } from "../events.ts";

/** The actions of one monitor since its start, counted from its events. */
export interface TallyCounts {
  readonly stream: string;
  /** `null` until the monitor has tried. */
  readonly connected: boolean | null;
  /** `null` until it is known. */
  readonly leading: boolean | null;
  readonly passes: number;
  /** Total time of the passes, in milliseconds. */
  readonly passMs: number;
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
      return { ...counts, passes: counts.passes + 1, passMs: counts.passMs + event.durationMs };
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
      // The report contains the current state of the others.
      return counts;
  }
}

/**
 * Counts a monitor's actions, for the `redis_batch_monitor_…` metrics. Pass its `observe` as the monitor's `observer` (or
 * call it from there), and the tally itself as the exporter's `tally`. It counts by stream only, so its size is fixed.
 */
export class MonitorTally {
  #counts: TallyCounts;

  /** @param stream the stream of the monitor whose events it will receive */
  constructor(stream: string) {
    this.#counts = {
      stream,
      connected: null,
      leading: null,
      passes: 0,
      passMs: 0,
      failedPasses: 0,
      disconnections: 0,
      handedOverMessages: 0,
      pendingTrimmedMessages: 0,
      removedConsumers: 0,
      trimmedEntries: 0,
    };
  }

  /** Counts an event. It is bound to the tally, so you can pass it as a callback. */
  readonly observe = (event: MonitorEvent): void => {
    this.#counts = countEvent(this.#counts, event);
  };

  /** The counts so far. */
  get counts(): TallyCounts {
    return this.#counts;
  }
}
