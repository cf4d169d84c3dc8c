import { PermissionError } from "@redis-batch/core";

/** A part of an answer that this user may have no right to: `null` then. */
export async function unlessDenied<Result>(asked: Promise<Result>): Promise<Result | null> {
  try {
    return await asked;
  } catch (error) {
    if (PermissionError.is(error)) return null;
    throw error;
  }
}
