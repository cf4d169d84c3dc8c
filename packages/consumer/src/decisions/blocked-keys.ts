/**
 * What is done when many messages wait behind others of their key: the first ones are given up that fail although the sink is
 * there, and new messages are read only to see whether it is.
 */

/** How full the lines of keys are. */
export interface LinesFacts {
  /** How many messages are behind another one of their key. */
  readonly behindOthers: number;
  /** How many keys have a message that waits. */
  readonly keys: number;
}

// Each one is held by its key and an id, whether anything is behind it or not.
const MOST_KEYS = 100_000;
// A message of a key that is known to be bad needs no second chance.
const FAILURES = { ofAnyKey: 3, ofBadKey: 1 };

/**
 * `open`: all is well · `few`: new messages are read a batch at a time, and only as a test of the sink · `full`: none are.
 * Between the second and the third there are as many places as up to the second, so that there is room for messages of other keys.
 */
export function decideRoomInLines({ behindOthers, keys }: LinesFacts, maxDeferred: number): "open" | "few" | "full" {
  if (behindOthers >= 2 * maxDeferred || keys >= MOST_KEYS) return "full";
  return behindOthers >= maxDeferred ? "few" : "open";
}

export interface FirstOfLine {
  /** Whether others of its key are behind it. */
  readonly isBlocking: boolean;
  /** How often it failed by itself, and another message was acknowledged that was offered afterwards. */
  readonly provenFailures: number;
  /** Whether a message of its key was given up, and none was acknowledged since. */
  readonly isKeyBad: boolean;
}

/**
 * Whether the first message of a line is given up. While the sink is down nothing is acknowledged, so nothing is given up. Its
 * delivery count does not tell: it also rises when a message before it failed, its process died, or the sink was down.
 */
export function mayGiveUp(first: FirstOfLine, lines: LinesFacts, maxDeferred: number): boolean {
  if (!first.isBlocking || lines.behindOthers < maxDeferred) return false;
  return first.provenFailures >= (first.isKeyBad ? FAILURES.ofBadKey : FAILURES.ofAnyKey);
}
