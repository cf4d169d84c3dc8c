import { hostname, userInfo } from "node:os";

/** The person at the terminal, as the operating system knows them. */
export function whoAmI(): string {
  try {
    return `${userInfo().username}@${hostname()}`;
  } catch {
    // A container may run under a number that has no name.
    return hostname();
  }
}
