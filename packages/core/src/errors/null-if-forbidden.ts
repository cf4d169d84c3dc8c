import { CommandError, PermissionError } from "./errors.ts";

/** For requests that this user may have no right to, or that the server may not offer: `null` then. */
export async function nullIfForbidden<Result>(asked: Promise<Result>): Promise<Result | null> {
  try {
    return await asked;
  } catch (error) {
    if (PermissionError.is(error)) return null;
    throw error;
  }
}

/**
 * The same for requests that cannot be malformed: any refusal means that they are not allowed. Some proxies refuse a
 * command with an error text that we do not know.
 */
export async function unlessRefused<Result>(asked: Promise<Result>): Promise<Result | null> {
  try {
    return await nullIfForbidden(asked);
  } catch (error) {
    if (CommandError.is(error)) return null;
    throw error;
  }
}
