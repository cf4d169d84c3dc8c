import type { RedisBatchError } from "../errors/errors.ts";
import type { EntryId } from "../names/entry-id.ts";
import type { Clock } from "../service/clock.ts";
import type { AddEachOptions, AddResult } from "./add-each.ts";

export interface AddManyProgress {
  /** Items that were added to the stream. */
  readonly added: number;
  /** Items that already were in the stream, under the same idempotency key. */
  readonly duplicates: number;
  /** Items that were not confirmed. */
  readonly failed: number;
}

export interface AddManyFailure {
  /** The item's index in the source, from 0. */
  readonly index: number;
  readonly error: RedisBatchError;
}

export interface AddManyResult extends AddManyProgress {
  /** The first hundred failures. `failed` counts all; to see all, use `addEach`. */
  readonly failures: readonly AddManyFailure[];
  /** The ids of the first and the last item that were added; `null` if none was. */
  readonly firstId: EntryId | null;
  readonly lastId: EntryId | null;
}

export interface AddManyOptions<Value> extends AddEachOptions<Value> {
  /** Receives the counts so far, at most ten times a second, and once at the end, even after an error. */
  readonly onProgress?: ((progress: AddManyProgress) => void) | undefined;
}

const LISTED_FAILURES = 100;
const PROGRESS_EVERY_MS = 100;

/** Counts the results as they arrive. */
export async function summarize(
  visitEach: (visit: (result: AddResult) => void) => Promise<void>,
  clock: Clock,
  onProgress: ((progress: AddManyProgress) => void) | undefined,
): Promise<AddManyResult> {
  let [added, duplicates, failed] = [0, 0, 0];
  let firstId: EntryId | null = null;
  let lastId: EntryId | null = null;
  const failures: AddManyFailure[] = [];
  let reportedAtMs = clock.nowMs();
  try {
    await visitEach((result) => {
      if (result.kind === "failed") {
        failed++;
        if (failures.length < LISTED_FAILURES) failures.push({ index: result.index, error: result.error });
      } else if (result.duplicate) duplicates++;
      else {
        added++;
        firstId ??= result.id;
        lastId = result.id;
      }
      if (onProgress !== undefined && clock.nowMs() - reportedAtMs >= PROGRESS_EVERY_MS) {
        reportedAtMs = clock.nowMs();
        onProgress({ added, duplicates, failed });
      }
    });
  } finally {
    onProgress?.({ added, duplicates, failed });
  }
  return { added, duplicates, failed, failures, firstId, lastId };
}
