/** A stream with partitions as one stream, for the commands that show what is in it. */
import { NoGroupError } from "@redis-batch/core";
import type { StreamClient } from "@redis-batch/core/internal/connection";
import { readPartitions } from "@redis-batch/core/internal/groups";
import { encodePlacedId, mergeScans, type Placed, parsePlacedId, startIn } from "@redis-batch/core/internal/messages";
import { Failure } from "../failure.ts";

/** The stream itself, or one of its partitions. */
export interface Part {
  /** `null`: the stream has no partitions. */
  readonly partition: number | null;
  readonly stream: string;
}

export async function partsOf(client: StreamClient, stream: string): Promise<readonly Part[]> {
  const partitions = await readPartitions(client, stream);
  return partitions?.map((one, partition) => ({ partition, stream: one })) ?? [{ partition: null, stream }];
}

/**
 * Asks each of them.
 *
 * @returns the answers of those that have the stream and the group: a partition that nobody has used yet has neither
 * @throws {NoGroupError} when none of them has
 */
export async function askParts<Answer>(
  parts: readonly Part[],
  ask: (part: Part) => Promise<Answer>,
): Promise<readonly { readonly part: Part; readonly answer: Answer }[]> {
  const missing: unknown[] = [];
  const answers = await Promise.all(
    parts.map(async (part) => {
      try {
        return [{ part, answer: await ask(part) }];
      } catch (error) {
        if (!NoGroupError.is(error)) throw error;
        missing.push(error);
        return [];
      }
    }),
  );
  if (missing.length === parts.length) throw missing[0];
  return answers.flat();
}

/**
 * Where a page starts, as the page before has said it.
 *
 * @throws {Failure} when it is no id, or names a partition that the stream does not have
 */
export function placeOf(option: string, text: string, parts: readonly Part[]): Placed {
  const place = parsePlacedId(text);
  const isThere = place?.partition === null || parts.some(({ partition }) => partition === place?.partition);
  if (place !== null && isThere) return place;
  const [first] = parts;
  const form =
    first?.partition === null ? "1700000000000-0" : `0/1700000000000-0, with a partition below ${parts.length}`;
  throw new Failure("usage", `${option} must be an entry id such as ${form}`);
}

/** What was found in one of them. */
export interface Found<Entry> {
  readonly part: Part;
  readonly entry: Entry;
  /** Its id with the partition in front, where the stream has partitions. */
  readonly placedId: string;
}

/**
 * What the parts have, in the order of time, some at a time.
 *
 * @param from where it starts, itself included; `null`: at the end that comes first
 * @param pagesOf reads the pages of one part; `start` is the id where they begin, itself included
 */
export async function* mergeParts<Entry extends { readonly id: string }>(
  parts: readonly Part[],
  { from, newestFirst }: { readonly from: Placed | null; readonly newestFirst: boolean },
  pagesOf: (part: Part, start: string | null) => AsyncIterator<readonly Entry[]>,
): AsyncGenerator<readonly Found<Entry>[], void, undefined> {
  const scans = parts.flatMap((part) => {
    const start = from === null ? null : startIn(part.partition, from, newestFirst);
    return from !== null && start === null ? [] : [{ part, pages: pagesOf(part, start) }];
  });
  const pages = scans.map((scan) => scan.pages);
  for await (const merged of mergeScans(pages, newestFirst)) {
    yield merged.flatMap(({ scan, entry }) => {
      const part = scans[scan]?.part;
      return part === undefined ? [] : [{ part, entry, placedId: encodePlacedId({ ...part, id: entry.id }) }];
    });
  }
}
