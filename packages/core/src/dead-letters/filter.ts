import { types } from "node:util";
import { UsageError } from "../errors/errors.ts";
import { isThenable, letGo } from "../errors/thrown.ts";
import { OptionsReader } from "../options/options-reader.ts";
import type { DeadLetter } from "./letter.ts";

/** Letters that meet all of these. At least one must be named: `"all"` says that every letter is meant. */
export interface LetterCriteria {
  /** Given up for exactly this reason: `rejected`, `maxDeliveries`, `undecodable`. */
  readonly reason?: string;
  /** Given up at this time or later, by the server's clock. */
  readonly since?: Date;
  /** Given up before this time, by the server's clock. */
  readonly before?: Date;
}

/** Which letters are meant: all of them, those that meet the criteria, or those that the function says `true` of. */
export type LetterFilter = "all" | LetterCriteria | ((letter: DeadLetter) => boolean);

const CRITERIA = ["reason", "since", "before"] as const satisfies readonly (keyof LetterCriteria)[];

/**
 * Makes a filter one function.
 *
 * @throws {ConfigError} when it names nothing, something unknown, or something that is not given: what was meant to be
 * narrow must not turn out to be everything
 */
export function resolveFilter(subject: string, filter: LetterFilter): (letter: DeadLetter) => boolean {
  if (filter === "all") return () => true;
  if (typeof filter === "function") return (letter) => judge(subject, filter, letter);
  const reader = new OptionsReader(`${subject}: filter`, filter, CRITERIA);
  const named = Object.keys(filter).filter((name) => (CRITERIA as readonly string[]).includes(name));
  for (const name of named) {
    if (!reader.has(name)) reader.problem(`${name} is undefined; leave it out, or give it a value`);
  }
  if (named.length === 0) reader.problem('names no criterion; write filter: "all" when every letter is meant');
  const { reason, since, before } = filter;
  if (reason !== undefined && typeof reason !== "string") reader.problem("reason must be a text");
  const [sinceMs, beforeMs] = [timeOf("since", since, reader), timeOf("before", before, reader)];
  reader.finish({});
  return ({ at, reason: why }) =>
    (reason === undefined || why === reason) &&
    (sinceMs === undefined || at.getTime() >= sinceMs) &&
    (beforeMs === undefined || at.getTime() < beforeMs);
}

function timeOf(name: string, date: Date | undefined, reader: OptionsReader): number | undefined {
  if (date === undefined) return undefined;
  const timeMs = types.isDate(date) ? date.getTime() : Number.NaN;
  if (Number.isNaN(timeMs)) reader.problem(`${name} must be a valid Date`);
  return timeMs;
}

// A function that forgot to return, or returned a promise, must not pass for a yes or a no.
function judge(subject: string, filter: (letter: DeadLetter) => boolean, letter: DeadLetter): boolean {
  const verdict: unknown = filter(letter);
  if (typeof verdict === "boolean") return verdict;
  if (isThenable(verdict)) letGo(verdict);
  throw new UsageError(`${subject}: the filter must return true or false, and not a promise; letter ${letter.id}`);
}
