/** Events of `DeadLetters`. Plain data: counts and connection errors, never payloads. */
export type DeadLettersEvent =
  /** The connection is usable: the first time, or again. */
  | { readonly type: "connected" }
  /** The connection was lost. It reconnects by itself. */
  | { readonly type: "disconnected"; readonly reason: string }
  /** An attempt to connect failed, for a reason not reported since the last connection. It keeps trying. */
  | { readonly type: "connectFailed"; readonly reason: string }
  /** A call of `redrive` has ended, with or without success. The counts are what the server has confirmed. */
  | {
      readonly type: "redriven";
      readonly redriven: number;
      readonly added: number;
      readonly skipped: number;
      readonly missing: number;
    }
  /** A call of `discard` has ended, with or without success. The count is what the server has confirmed. */
  | { readonly type: "discarded"; readonly discarded: number }
  /** `close()` has finished. The last event. */
  | { readonly type: "closed" };
