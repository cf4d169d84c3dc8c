/**
 * Entry ids: `<ms>-<seq>`, two unsigned 64-bit numbers. They are compared as text, because neither part fits a double.
 */

/** `<ms>-<seq>`, both decimal, without leading zeros, below 2^64. */
export type EntryId = string;

const ENTRY_ID = /^(?:0|[1-9]\d{0,19})-(?:0|[1-9]\d{0,19})$/;
const MAX_PART = "18446744073709551615";

/** Whether `text` is a complete entry id, as XADD returns it. */
export function isEntryId(text: string): text is EntryId {
  if (!ENTRY_ID.test(text)) return false;
  const dash = text.indexOf("-");
  return compareDecimals(text.slice(0, dash), MAX_PART) <= 0 && compareDecimals(text.slice(dash + 1), MAX_PART) <= 0;
}

/** Negative when `left` was added before `right`, positive when after, 0 when they are the same entry. */
export function compareEntryIds(left: EntryId, right: EntryId): number {
  const leftDash = left.indexOf("-");
  const rightDash = right.indexOf("-");
  return (
    compareDecimals(left.slice(0, leftDash), right.slice(0, rightDash)) ||
    compareDecimals(left.slice(leftDash + 1), right.slice(rightDash + 1))
  );
}

/** The next possible id; `null` after the largest one. */
export function nextEntryId(id: EntryId): EntryId | null {
  const dash = id.indexOf("-");
  const [ms, sequence] = [id.slice(0, dash), id.slice(dash + 1)];
  if (sequence !== MAX_PART) return `${ms}-${BigInt(sequence) + 1n}`;
  return ms === MAX_PART ? null : `${BigInt(ms) + 1n}-0`;
}

/** The largest id before this one; `null` before the smallest one. */
export function previousEntryId(id: EntryId): EntryId | null {
  const dash = id.indexOf("-");
  const [ms, sequence] = [id.slice(0, dash), id.slice(dash + 1)];
  if (sequence !== "0") return `${ms}-${BigInt(sequence) - 1n}`;
  return ms === "0" ? null : `${BigInt(ms) - 1n}-${MAX_PART}`;
}

/** When the entry was added by the server's clock, in milliseconds since 1970 (exact below 2^53, some 285,000 years). */
export function entryIdTimeMs(id: EntryId): number {
  return Number(id.slice(0, id.indexOf("-")));
}

/** The same as a date; `null` if the id is beyond the range of dates, which is possible if a producer chose the id. */
export function entryIdDate(id: EntryId): Date | null {
  const date = new Date(entryIdTimeMs(id));
  return Number.isNaN(date.getTime()) ? null : date;
}

// Without leading zeros the longer number is the larger one.
function compareDecimals(left: string, right: string): number {
  if (left.length !== right.length) return left.length - right.length;
  if (left === right) return 0;
  return left < right ? -1 : 1;
}
