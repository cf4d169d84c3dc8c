/** What the workers' handler must do with a message. */

/**
 * `ack`: work and acknowledge · `retryOnce`, `throwOnce`: fail on the first delivery · `reject`: into the dead letters ·
 * `poison`: throw every time · `killOnce`, `killAlways`: end the process by SIGKILL · `hangOnce`: never return the first
 * time, after which the process is killed · `hang`: never return, and nobody kills the process · `holdOnce`: hold the
 * batch for too long the first time · `blockOnce`: block the event loop for longer than the lease · `deferredLong`: ask for a
 * long delay the first time.
 */
export type Intent =
  | "ack"
  | "retryOnce"
  | "throwOnce"
  | "reject"
  | "poison"
  | "killOnce"
  | "killAlways"
  | "hangOnce"
  | "hang"
  | "holdOnce"
  | "blockOnce"
  | "deferredLong";

/** How many of 100,000 messages have an intent; the others are simply acknowledged. */
export type IntentShares = Partial<Readonly<Record<Intent, number>>>;

const ALL = 100_000;

/** The intent of a message, for a number drawn for it (at least 0, below 1). */
export function intentOf(drawn: number, shares: IntentShares): Intent {
  let left = drawn * ALL;
  for (const [intent, share] of Object.entries(shares) as [Intent, number][]) {
    left -= share;
    if (left < 0) return intent;
  }
  return "ack";
}
