import { CommandError, PermissionError } from "./errors.ts";

/** What this user may have no right to ask, or the server may not offer: `null` then. */
export async function nullIfForbidden<Result>(asked: Promise<Result>): Promise<Result | null> {
  try {
    return await asked;
  } catch (error) {
    if (PermissionError.is(error)) return null;
    throw error;
  }
}

/**
 * The same for questions that cannot be put in a wrong way: whatever words they are refused with, they cannot be asked. Not
 * every proxy says in words that are known that it does not let a command through.
 */
export async function unlessRefused<Result>(asked: Promise<Result>): Promise<Result | null> {
  try {
    return await nullIfForbidden(asked);
  } catch (error) {
    if (CommandError.is(error)) return null;
    throw error;
  }
}
