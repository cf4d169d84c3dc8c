import { PermissionError } from "./errors.ts";

/** What this user may have no right to ask, or the server may not offer: `null` then. */
export async function unlessDenied<Result>(asked: Promise<Result>): Promise<Result | null> {
  try {
    return await asked;
  } catch (error) {
    if (PermissionError.is(error)) return null;
    throw error;
  }
}
