/** How `util.inspect` and `console.log` show our objects. */
import { type InspectOptionsStylized, inspect } from "node:util";

/** The name of the method that defines how an object is shown. */
export const INSPECT: typeof inspect.custom = inspect.custom;

/**
 * Shows an object as its class and a few facts, instead of its fields. Never options, which may contain secrets, and
 * never a payload.
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
