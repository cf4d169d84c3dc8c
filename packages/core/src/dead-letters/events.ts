/** What was done with dead letters. Plain data: counts and texts of the connection, never payloads. */
export type DeadLettersEvent =
  /** The connection is usable: the first time, or again. */
  | { readonly type: "connected" }
  /** The connection was lost. It comes back by itself. */
  | { readonly type: "disconnected"; readonly reason: string }
  /** An attempt to connect failed, for a reason not told since there was a connection. It goes on being tried for. */
  | { readonly type: "connectFailed"; readonly reason: string }
  /** A call of `redrive` has ended, in success or not, and the server has confirmed this much of it. */
  | {
      readonly type: "redriven";
      readonly redriven: number;
      readonly added: number;
      readonly skipped: number;
      readonly missing: number;
    }
  /** A call of `discard` has ended, in success or not, and the server has confirmed that so many letters were deleted. */
  | { readonly type: "discarded"; readonly discarded: number }
  /** `close()` is done. The last event. */
  | { readonly type: "closed" };
