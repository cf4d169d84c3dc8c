/** What `util.inspect` and `console.log` show of our objects. */
import { type InspectOptionsStylized, inspect } from "node:util";

/** The name of the method by which an object says how it is shown. */
export const INSPECT: typeof inspect.custom = inspect.custom;

/**
 * An object as its class and a few facts, in the place of its fields. Never options, which may hold secrets, and never a
 * payload.
 */
export function showAs(
  className: string,
  facts: Readonly<Record<string, unknown>>,
  depth: number,
  options: InspectOptionsStylized,
): string {
  if (depth < 0) return options.stylize(`[${className}]`, "special");
  return `${className} ${inspect(facts, { ...options, depth })}`;
}
