/** Positions in a stream and points in time, as people write them. */
import { entryIdTimeMs, isEntryId } from "@redis-batch/core";
import { parseDuration } from "./command-line/option-value.ts";
import { Failure } from "./failure.ts";

const MAX_SEQUENCE = "18446744073709551615";

const AN_ID = "an id such as 1700000000000-0, ";

/**
 * Reads `2h` (that long ago), or an ISO 8601 date. `alternatives`: what else the option takes, for the error.
 *
 * @throws {Failure} when it is neither
 */
export function parseMoment(option: string, text: string, nowMs: number, alternatives = ""): number {
  const agoMs = parseDuration(text);
  const atMs = agoMs === undefined ? (/^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : Number.NaN) : nowMs - agoMs;
  if (Number.isNaN(atMs) || atMs < 0) {
    throw new Failure(
      "usage",
      `${option} must be ${alternatives}a time such as 2h (ago) or 2026-01-31T12:00:00Z, not "${text}"`,
    );
  }
  return Math.floor(atMs);
}

/** The first id at this position: an id itself, or the first possible id of a moment. */
export function parseFrom(option: string, text: string, nowMs: number): string {
  return isEntryId(text) ? text : `${parseMoment(option, text, nowMs, AN_ID)}-0`;
}

/** The group position that delivers entries from this moment on, or after this id. */
export function parsePosition(option: string, text: string, nowMs: number): string {
  if (text === "start" || text === "end" || isEntryId(text)) return text;
  const atMs = parseMoment(option, text, nowMs, `start, end, ${AN_ID}`);
  return atMs === 0 ? "start" : `${atMs - 1}-${MAX_SEQUENCE}`;
}

/** When the entry was added, as ISO 8601; `null` if the id contains no time. */
export function timeOfId(id: string | null): string | null {
  return id === null ? null : isoTime(entryIdTimeMs(id));
}

export function isoTime(ms: number): string | null {
  return ms > 0 && ms <= 8.64e15 ? new Date(ms).toISOString() : null;
}
