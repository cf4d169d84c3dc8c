/** Every event that a consumer reports, and the words that their fields use. */
import type { ConnectionRole, EntryId, ErrorInfo, GroupPause, RateLimit } from "@redis-batch/core";

/** Events of a consumer, reported after the fact. The contract is `docs/events.md`. */
export type ConsumerEvent =
  | { readonly type: "connected"; readonly role: ConnectionRole }
  | { readonly type: "disconnected"; readonly role: ConnectionRole; readonly reason: string }
  /** An attempt to connect failed, for a reason not reported since the last connection. It keeps trying. */
  | { readonly type: "connectFailed"; readonly role: ConnectionRole; readonly reason: string }
  | { readonly type: "started"; readonly consumer: string }
  | { readonly type: "eventLoopDelayed"; readonly delayMs: number }
  | { readonly type: "draining" }
  | { readonly type: "failed"; readonly error: ErrorInfo }
  | ({ readonly type: "stopped" } & StopReport)
  | (StreamEvent & { readonly stream: string });

/** Events that concern one stream. */
export type StreamEvent =
  /** Of several streams, this one cannot be worked on. The others go on, and it is tried again. */
  | { readonly type: "streamFailed"; readonly retryInMs: number; readonly error: ErrorInfo }
  /** A stream that had failed is worked on again. */
  | { readonly type: "streamResumed" }
  /** This consumer owns the partition from now on. */
  | { readonly type: "partitionTaken"; readonly partition: number; readonly token: number }
  /** Another consumer may own the partition: this one has finished what it had of it. */
  | { readonly type: "partitionGivenUp"; readonly partition: number }
  /** Its ownership ended without this consumer's doing, because it did not renew it in time: what is open of it counts no more. */
  | { readonly type: "partitionLost"; readonly partition: number; readonly token: number }
  /** With `orderBy`: none of the first messages has a key, so they are not kept in order. Reported once. */
  | { readonly type: "keysMissing"; readonly messages: number }
  /**
   * With `partitions` and `orderBy`: none of a partition's first messages was added with a `key`, so messages that belong together are in
   * different partitions, and not in order. Reported once for each partition.
   */
  | { readonly type: "partitionKeysMissing"; readonly messages: number }
  | { readonly type: "groupCreated"; readonly position: string; readonly recreated: boolean }
  | { readonly type: "read"; readonly messages: number; readonly bytes: number }
  | { readonly type: "readFailed"; readonly retryInMs: number; readonly error: ErrorInfo }
  /** `error` is the last refusal; `null`: the server did not answer at all. */
  | { readonly type: "readStalled"; readonly silentMs: number; readonly error: ErrorInfo | null }
  | { readonly type: "readStallEnded"; readonly stalledMs: number }
  | { readonly type: "undeliveredFound"; readonly messages: number }
  /** The messages of a dead consumer were released for any consumer with room. */
  | { readonly type: "orphansReleased"; readonly from: string; readonly messages: number }
  /** Messages were released: any consumer may claim them. */
  | { readonly type: "released"; readonly messages: number; readonly why: ReleaseReason }
  /** Messages were deferred in Redis, until they are due. */
  | { readonly type: "deferred"; readonly messages: number }
  /** Another client removed `rb:later`, and with it deferred messages: these are not pending any more. */
  | { readonly type: "laterLost"; readonly ids: readonly EntryId[] }
  /** This consumer has claimed released messages. */
  | { readonly type: "claimed"; readonly messages: number }
  | { readonly type: "releaseFailed"; readonly messages: number; readonly retryInMs: number; readonly error: ErrorInfo }
  /** Delays cannot be stored in Redis, so they end with the process. */
  | { readonly type: "delaysInMemory"; readonly error: ErrorInfo }
  /** Handlers have been running for longer than `maxHoldMs`: their messages are released. */
  | {
      readonly type: "heldTooLong";
      /** Messages that had no outcome. */
      readonly messages: number;
      /** Handlers that currently hang. */
      readonly hung: number;
    }
  /** Messages that fail here succeed elsewhere: this process is broken, not the messages. */
  | { readonly type: "unfit"; readonly failures: number; readonly succeededElsewhere: number }
  | { readonly type: "fit" }
  /** Why new messages are not read, on purpose. */
  | { readonly type: "intakeHeld"; readonly by: IntakeHold }
  | { readonly type: "intakeOpened" }
  /** Somebody has paused the group for all of its consumers, or has changed the pause. */
  | ({ readonly type: "groupPaused" } & GroupPause)
  /** The rate in the options, `own`, is not that of the group in Redis, which counts. */
  | { readonly type: "rateLimitDiffers"; readonly own: RateLimit; readonly group: RateLimit }
  /** The group was resumed, or the time of its pause is over. */
  | { readonly type: "groupResumed" }
  | { readonly type: "nameRemoved"; readonly consumer: string }
  | { readonly type: "recoveryFailed"; readonly error: ErrorInfo }
  | { readonly type: "renewFailed"; readonly retryInMs: number; readonly error: ErrorInfo }
  | { readonly type: "heartbeatFailed"; readonly error: ErrorInfo }
  | { readonly type: "redelivered"; readonly messages: number }
  | { readonly type: "pendingTrimmed"; readonly ids: readonly EntryId[] }
  | {
      readonly type: "batch";
      /** `batch.id` of the batch that your code has got. */
      readonly batchId: string;
      readonly messages: number;
      readonly redelivered: number;
      readonly reason: BatchReason;
    }
  | {
      readonly type: "batchEnded";
      readonly batchId: string;
      readonly messages: number;
      /** Messages without an outcome: they are redelivered. */
      readonly unsettled: number;
      readonly durationMs: number;
    }
  /** `error` is the value that the handler threw. */
  | { readonly type: "handlerFailed"; readonly batchId: string; readonly messages: number; readonly error: unknown }
  | { readonly type: "backingOff"; readonly attempt: number; readonly retryInMs: number }
  | { readonly type: "resumed"; readonly attempts: number }
  | { readonly type: "nothingSettled"; readonly batchId: string; readonly messages: number }
  | { readonly type: "acknowledged"; readonly messages: number }
  | { readonly type: "ackIncomplete"; readonly sent: number; readonly acknowledged: number }
  | { readonly type: "ackFailed"; readonly messages: number; readonly retryInMs: number; readonly error: ErrorInfo }
  | {
      readonly type: "deadLettered";
      readonly id: EntryId;
      readonly why: DeadLetterReason;
      /** The reason that is stored with the dead letter: the application's, or an error's name and message; or `""`. */
      readonly error: string;
    }
  | {
      readonly type: "deadLetterFailed";
      readonly messages: number;
      readonly retryInMs: number;
      readonly error: ErrorInfo;
    }
  /** A message was acknowledged although an earlier one of its key, `after`, has no outcome. The acknowledgement counts. */
  | { readonly type: "outOfOrder"; readonly id: EntryId; readonly after: EntryId }
  | { readonly type: "outcomeTooLate"; readonly ids: readonly EntryId[]; readonly why: TooLateReason };

/** `entries`, `bytes`: the batch was full · `wait`: its time was up, or others of its key wait for it · `draining`: the consumer is stopping. */
export type BatchReason = "entries" | "bytes" | "wait" | "draining";

/**
 * Why a message went to the dead letters: `rejected` by the application · `maxDeliveries`, it was delivered that often ·
 * `undecodable`, the codec cannot decode it · `hung`, two handlers did not finish it within `maxHoldMs` ·
 * `blocks-key`, it failed while others succeeded, and too many messages waited behind others of their key.
 */
export type DeadLetterReason = "rejected" | "maxDeliveries" | "undecodable" | "hung" | "blocks-key";

/**
 * Why messages were released: `read-ahead`, no handler here became free for them, but one elsewhere is free · `draining`,
 * the consumer is stopping · `held-too-long`, a handler hangs · `backing-off`, every batch fails here · `paused` ·
 * `second-opinion`, messages that failed here on their last delivery are tried elsewhere once more · `deferred`, more
 * messages were deferred than are kept in memory · `due`, they are due.
 */
export type ReleaseReason =
  | "read-ahead"
  | "draining"
  | "held-too-long"
  | "backing-off"
  | "paused"
  | "second-opinion"
  | "deferred"
  | "due";

/**
 * Why new messages are not read: `paused` by the application · `group-paused`, somebody has paused the group for all of its
 * consumers · `draining` · `deferred`, too many messages are deferred, and
 * they cannot be stored in Redis, or too many keys wait in order · `key-blocked`, too many messages wait behind others of their key ·
 * `backing-off`, every batch fails, and the next attempt must wait · `probing`, a single
 * message is tried · `held-too-long`, every handler hangs · `unfit`, messages that fail here succeed elsewhere ·
 * `ahead-of-stream`, the group's position is ahead of the last entry, so no entry counts as new · `rate-limited`, messages wait
 * for their time in the rate of the group · `server-away` ·
 * `resting`, only in `health()`: this one of several streams cannot be worked on, see its `error`.
 */
export type IntakeHold =
  | "paused"
  | "group-paused"
  | "rate-limited"
  | "draining"
  | "deferred"
  | "key-blocked"
  | "backing-off"
  | "probing"
  | "held-too-long"
  | "unfit"
  | "ahead-of-stream"
  | "server-away"
  | "resting";

/**
 * Why a message no longer belongs to this consumer, so that an outcome has no effect: `not-owned`, another consumer has it,
 * or it is not pending · `superseded`, it was redelivered meanwhile, and the newer delivery counts · `closed`, the consumer
 * had released it · `held-too-long`, it had no outcome after `maxHoldMs`.
 */
export type TooLateReason = "not-owned" | "superseded" | "closed" | "held-too-long";

/** The report of a consumer that has stopped. */
export interface StopReport {
  /** Released messages: any other consumer claims them, at once or when they are due. */
  readonly released: number;
  /** Acknowledgements that the server did not confirm in time; these messages may be redelivered. */
  readonly unconfirmedAcks: number;
  /** Messages whose handlers were still running at the deadline; each also counts as released. */
  readonly abandoned: number;
  /** Whether the consumer's name was removed from the group: yes, unless messages are pending under it. */
  readonly nameRemoved: boolean;
}
