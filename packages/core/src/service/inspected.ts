/** How `util.inspect` and `console.log` show our objects. */
import { type InspectOptions, inspect } from "node:util";

/** The name of the method that defines how an object is shown. */
export const INSPECT: typeof inspect.custom = inspect.custom;

/** What `util.inspect` passes to that method. The name of Node's own type for it differs between versions of its types. */
export interface InspectContext extends InspectOptions {
  stylize(text: string, styleType: string): string;
}

/**
 * Shows an object as its class and a few facts, instead of its fields. Never options, which may contain secrets, and
 * never a payload.
 */
export function showAs(
  className: string,
  facts: Readonly<Record<string, unknown>>,
  depth: number,
  options: InspectContext,
): string {
  if (depth < 0) return options.stylize(`[${className}]`, "special");
  return `${className} ${inspect(facts, { ...options, depth })}`;
}
