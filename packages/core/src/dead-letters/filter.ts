import { types } from "node:util";
import { UsageError } from "../errors/errors.ts";
import { isThenable, letGo } from "../errors/thrown.ts";
import { OptionsReader } from "../options/options-reader.ts";
import type { DeadLetter } from "./letter.ts";

/** Selects dead letters that meet all of these. At least one must be given; use `"all"` to select all dead letters. */
export interface LetterCriteria {
  /** Dead-lettered for exactly this reason: `rejected`, `maxDeliveries`, `undecodable`. */
  readonly reason?: string;
  /** Whose error contains this text, in upper or lower case. */
  readonly error?: string;
  /** Dead-lettered at this time or later, by the server's clock. */
  readonly since?: Date;
  /** Dead-lettered before this time, by the server's clock. */
  readonly before?: Date;
}

/** Which dead letters to select: all, those that meet the criteria, or those for which the function returns `true`. */
export type LetterFilter = "all" | LetterCriteria | ((letter: DeadLetter) => boolean);

const CRITERIA = ["reason", "error", "since", "before"] as const satisfies readonly (keyof LetterCriteria)[];

/**
 * Turns a filter into a function.
 *
 * @throws {ConfigError} when it has no criterion, an unknown one, or one that is undefined: a filter that was meant to
 * be narrow must not select everything
 */
export function resolveFilter(subject: string, filter: LetterFilter): (letter: DeadLetter) => boolean {
  if (filter === "all") return () => true;
  if (typeof filter === "function") return (letter) => judge(subject, filter, letter);
  const reader = new OptionsReader(`${subject}: filter`, filter, CRITERIA);
  const named = Object.keys(filter).filter((name) => (CRITERIA as readonly string[]).includes(name));
  for (const name of named) {
    if (!reader.has(name)) reader.problem(`${name} is undefined; leave it out, or set a value`);
  }
  if (named.length === 0) reader.problem('names no criterion; use filter: "all" to select all dead letters');
  const { reason, error, since, before } = filter;
  if (reason !== undefined && typeof reason !== "string") reader.problem("reason must be a text");
  if (error !== undefined && typeof error !== "string") reader.problem("error must be a text");
  const part = typeof error === "string" ? error.toLowerCase() : undefined;
  const [sinceMs, beforeMs] = [timeOf("since", since, reader), timeOf("before", before, reader)];
  reader.finish({});
  return ({ at, reason: why, error: said }) =>
    (reason === undefined || why === reason) &&
    (part === undefined || said.toLowerCase().includes(part)) &&
    (sinceMs === undefined || at.getTime() >= sinceMs) &&
    (beforeMs === undefined || at.getTime() < beforeMs);
}

function timeOf(name: string, date: Date | undefined, reader: OptionsReader): number | undefined {
  if (date === undefined) return undefined;
  const timeMs = types.isDate(date) ? date.getTime() : Number.NaN;
  if (Number.isNaN(timeMs)) reader.problem(`${name} must be a valid Date`);
  return timeMs;
}

// A function that returns nothing, or a promise, must not count as yes or no.
function judge(subject: string, filter: (letter: DeadLetter) => boolean, letter: DeadLetter): boolean {
  const verdict: unknown = filter(letter);
  if (typeof verdict === "boolean") return verdict;
  if (isThenable(verdict)) letGo(verdict);
  throw new UsageError(`${subject}: the filter must return true or false, not a promise; dead letter ${letter.id}`);
}
