import { expect } from "vitest";

let counter = 0;
// Tells apart processes that ended up with the same id on different machines or at different times.
const process36 = `${process.pid.toString(36)}${Math.round(performance.timeOrigin).toString(36)}`;

/**
 * A name for a key, a group or a consumer that no other test uses, on a shared server either. It says which test it
 * belongs to, and holds letters, digits, `-` and `_` only.
 */
export function uniqueName(purpose: string): string {
  counter += 1;
  const parts = [slug(purpose), process36, counter.toString(36)];
  const test = expect.getState().currentTestName;
  if (test !== undefined) parts.push(slug(test.slice(-40)));
  return parts.join("-");
}

/** Whether this process made the name (see {@link uniqueName}), or the name contains one it made. */
export function isOwnName(name: string): boolean {
  return name.includes(`-${process36}-`);
}

function slug(text: string): string {
  return text
    .toLowerCase()
    .replaceAll(/[^a-z0-9_]+/g, "-")
    .replaceAll(/^-+|-+$/g, "");
}
