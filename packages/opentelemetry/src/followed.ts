/** What is read of batches and messages: those of `@redis-batch/consumer` have it. */
import type { EntryId, TraceContext } from "@redis-batch/core";

/** What is read of a `Message`. */
export interface FollowedMessage {
  readonly id: EntryId;
  readonly deliveries: number;
  readonly fields: Readonly<Record<string, string>>;
  readonly traceContext: TraceContext | undefined;
}

/** What is read of a `Batch`. */
export interface FollowedBatch {
  readonly id: string;
  readonly stream: string | null;
  readonly size: number;
  readonly messages: readonly FollowedMessage[];
  settled(): Promise<SettledIds>;
}

/** The messages that came to each end. */
export interface SettledIds {
  readonly acknowledged: readonly EntryId[];
  readonly retried: readonly EntryId[];
  readonly deadLettered: readonly EntryId[];
  readonly tooLate: readonly EntryId[];
  readonly open: readonly EntryId[];
}

/** How a batch came about, as `BatchStart` of the consumer. */
export interface FollowedStart {
  readonly group: string;
  readonly consumer: string;
  readonly waitedMs: number;
  readonly isFetched: boolean;
}

/** A context as it was read of somewhere, unchecked. */
export interface FoundContext {
  readonly traceparent?: string | undefined;
  readonly tracestate?: string | undefined;
}
