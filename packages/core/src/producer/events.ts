import type { ErrorCode } from "../errors/errors.ts";
import type { EntryId } from "../names/entry-id.ts";

/** Events of a producer. Plain data: counts, ids and milliseconds, never payloads. */
export type ProducerEvent =
  /** The connection is usable: the first time, or again. */
  | { readonly type: "connected" }
  /** The connection was lost. It reconnects by itself. */
  | { readonly type: "disconnected"; readonly reason: string }
  /** An attempt to connect failed, for a reason not reported since the last connection. It keeps trying. */
  | { readonly type: "connectFailed"; readonly reason: string }
  /** All messages that were sent together have ended. `added` were confirmed, `failed` were not (see their promises). */
  | { readonly type: "added"; readonly added: number; readonly failed: number; readonly elapsedMs: number }
  /** A message was refused at once, because the queue is full: this many messages and bytes wait for confirmation. */
  | { readonly type: "queueFull"; readonly messages: number; readonly bytes: number }
  /** An add with an idempotency key failed and is retried after `delayMs`. */
  | { readonly type: "retrying"; readonly attempt: number; readonly delayMs: number; readonly code: ErrorCode }
  /**
   * A message with this idempotency key already existed as the entry `id`, and was not added again. If `attempt` is above
   * 1, most likely an earlier attempt of the same call had added it, and its reply was lost.
   */
  | { readonly type: "duplicate"; readonly id: EntryId; readonly idempotencyKey: string; readonly attempt: number }
  /** `close()` has finished. This many messages were not confirmed: their promises have rejected. The last event. */
  | { readonly type: "closed"; readonly unconfirmed: number };
