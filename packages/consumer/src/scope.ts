/**
 * What every part of a consumer has, for one of its streams: what a consumer holds of a stream, and does for it, is independent
 * of its other streams but for what stands under `shares`. The constructor of a part takes the scope, and the other parts that
 * it uses.
 */

import type { StreamClient } from "@redis-batch/core/internal/connection";
import type { Clock, Lifecycle, Random } from "@redis-batch/core/internal/service";
import type { OwnedPartition } from "./batch.ts";
import type { StreamEvent } from "./events.ts";
import type { ConsumerPolicy } from "./options.ts";
import type { LookTimes } from "./receiving/look-times.ts";
import type { ReplySize } from "./receiving/reply-size.ts";
import type { NewEntries } from "./receiving/shared-reads.ts";
import type { HeldMessages } from "./scheduling/held-messages.ts";
import type { KeyOrder } from "./scheduling/key-order.ts";
import type { Sink } from "./scheduling/sink.ts";
import type { Signals } from "./signals.ts";
import type { Usage } from "./usage.ts";

/** What the streams of a consumer share. */
export interface Shares {
  /** How many streams there are. */
  readonly streams: number;
  /** New messages of the other streams that are in memory, and in no batch yet. */
  bufferedElsewhere(): number;
  /** Handlers that have been at work on a batch of another stream for longer than `maxHoldMs`. */
  hungElsewhere(): number;
  /** How many batches of other streams are open. */
  openElsewhere(): number;
  /** How long handlers have worked on batches of other streams, in milliseconds, summed over the batches. */
  busyElsewhereMs(): number;
  /** How long a batch of the other streams takes at most, in milliseconds. */
  batchTakesElsewhereMs(): number;
  /** Whether it is this stream that reports that the server is away: one does, of those that are read over one connection. */
  tellsOfLoss(): boolean;
  /** The stream was read. */
  wasRead(): void;
}

/** The shares of the only stream. */
export const ALONE: Shares = {
  streams: 1,
  bufferedElsewhere: () => 0,
  hungElsewhere: () => 0,
  openElsewhere: () => 0,
  busyElsewhereMs: () => 0,
  batchTakesElsewhereMs: () => 0,
  tellsOfLoss: () => true,
  wasRead: () => {},
};

export interface Scope<Value = unknown> {
  readonly policy: ConsumerPolicy<Value>;
  readonly client: StreamClient;
  readonly clock: Clock;
  readonly random: Random;
  readonly lifecycle: Lifecycle;
  readonly usage: Usage;
  readonly newEntries: NewEntries;
  readonly shares: Shares;
  readonly lookTimes: LookTimes;
  /** Every message of the stream that this consumer holds. */
  readonly held: HeldMessages<Value>;
  /** Which message of a key waits behind which; `undefined` without `orderBy`. */
  readonly order: KeyOrder | undefined;
  /** The partition that the stream is; `undefined`: none. */
  readonly owned: OwnedPartition | undefined;
  readonly sink: Sink;
  readonly replySize: ReplySize;
  readonly signals: Signals;
  readonly report: (event: StreamEvent) => void;
  /** Ends the work on this stream because of an error that cannot pass. */
  readonly fail: (error: unknown) => void;
}
