import type { ErrorCode } from "../errors/errors.ts";
import type { EntryId } from "../names/entry-id.ts";

/** What a producer did. Plain data: counts, ids and milliseconds, never payloads. */
export type ProducerEvent =
  /** The connection is usable: the first time, or again. */
  | { readonly type: "connected" }
  /** The connection was lost. It comes back by itself. */
  | { readonly type: "disconnected"; readonly reason: string }
  /** An attempt to connect failed, for a reason not told since there was a connection. It goes on being tried for. */
  | { readonly type: "connectFailed"; readonly reason: string }
  /** Messages that went out together have all ended. `added` were confirmed, `failed` were not (see the promises). */
  | { readonly type: "added"; readonly added: number; readonly failed: number; readonly elapsedMs: number }
  /** A message was refused at once, because so many messages and bytes already wait for confirmation. */
  | { readonly type: "queueFull"; readonly messages: number; readonly bytes: number }
  /** An add with an idempotency key failed and is tried again after `delayMs`. */
  | { readonly type: "retrying"; readonly attempt: number; readonly delayMs: number; readonly code: ErrorCode }
  /**
   * A message was there before under its idempotency key, as the entry `id`, and was not added again. `attempt` above
   * 1: most likely by an earlier attempt of the same call, whose reply was lost.
   */
  | { readonly type: "duplicate"; readonly id: EntryId; readonly idempotencyKey: string; readonly attempt: number }
  /** `close()` is done, and so many messages were not confirmed: their promises have rejected. The last event. */
  | { readonly type: "closed"; readonly unconfirmed: number };
