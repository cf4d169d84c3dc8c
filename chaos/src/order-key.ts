/** The keys whose messages belong in order. */

const KEYS = 200;
/** A few keys have much more to do than the others, as in life. */
const HOT_KEYS = 4;
const HOT_SHARE = 0.15;

/** The order key of a message, for a number drawn for it (at least 0, below 1). */
export function orderKeyOf(drawn: number): string {
  if (drawn < HOT_SHARE) return `hot${Math.floor((drawn / HOT_SHARE) * HOT_KEYS)}`;
  return `key${HOT_KEYS + Math.floor(((drawn - HOT_SHARE) / (1 - HOT_SHARE)) * (KEYS - HOT_KEYS))}`;
}
