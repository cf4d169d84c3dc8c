import { compareEntryIds, type EntryId } from "../../names/entry-id.ts";
import { inParts } from "../parts.ts";

/** Messages that a consumer should own. Every operation on them checks that first. */
export interface OwnMessages {
  readonly stream: string;
  readonly group: string;
  readonly consumer: string;
  /** Any number of them. */
  readonly ids: readonly EntryId[];
}

/** The scripts read the range between the first and the last id, so the ids are sent in stream order. */
export function inStreamOrder(ids: readonly EntryId[]): EntryId[] {
  return ids.toSorted(compareEntryIds);
}

/** The same, split into as many as a script can take at a time, in stream order. */
export function splitIds<Options extends { readonly ids: readonly EntryId[] }>(options: Options): readonly Options[] {
  return inParts(inStreamOrder(options.ids)).map((ids) => ({ ...options, ids }));
}

/** Merges the results per id. */
export function mergeEnds<End>(parts: readonly ReadonlyMap<EntryId, End>[]): ReadonlyMap<EntryId, End> {
  const [first = new Map<EntryId, End>()] = parts;
  return parts.length <= 1 ? first : new Map(parts.flatMap((part) => [...part]));
}
