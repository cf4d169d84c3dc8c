/** The dead letters of a group: grouped by their errors, and one by one. */
import { type DeadLetter, deadLetterKey, type EntryId, type LetterGroup, type LetterId } from "@redis-batch/core";
import type { StreamClient } from "@redis-batch/core/internal/connection";
import { readPartitions } from "@redis-batch/core/internal/groups";
import {
  encodePlacedId,
  groupLetters,
  keyOfLetter,
  type LetterFacts,
  mergeScans,
  parsePlacedId,
  placeBehind,
  readLetter,
  type StreamEntry,
  startIn,
} from "@redis-batch/core/internal/messages";
import { entryPages, ReadBudget } from "./entry-pages.ts";
import { type ShownField, showFields } from "./shown-fields.ts";

type Reader = Pick<StreamClient, "xrange" | "xrevrange" | "xlen" | "textOf">;

/** How many dead letters are looked at for an answer. */
const MOST_EXAMINED = 10_000;

export interface LetterGroups {
  readonly total: number;
  /** The newest that were looked at; fewer than `total` if there are very many. */
  readonly examined: number;
  readonly groups: readonly LetterGroup[];
}

/** One dead letter for the page. */
export interface ShownLetter {
  readonly id: LetterId;
  readonly entryId: EntryId;
  readonly consumer: string;
  readonly deliveries: number;
  readonly reason: string;
  readonly error: string;
  readonly atMs: number;
  readonly fields: readonly ShownField[];
}

interface Address {
  readonly stream: string;
  readonly group: string;
}

const LONGEST_ERROR = 2_000;

/** Where they are: of the stream, or of each of its partitions. */
async function homesOf(client: Reader, { stream, group }: Address) {
  const partitions = await readPartitions(client, stream);
  if (partitions === null) return [{ partition: null, key: deadLetterKey(stream, group) }];
  return partitions.map((one, partition) => ({ partition, key: deadLetterKey(one, group) }));
}

interface FoundEntry {
  readonly id: LetterId;
  readonly entry: StreamEntry;
  /** `undefined`: Redis Batch did not write it. */
  readonly letter: DeadLetter | undefined;
}

/** What is there, the newest first, of all partitions. */
async function* newestEntries(
  client: Reader,
  address: Address,
  before: LetterId | null = null,
): AsyncGenerator<readonly FoundEntry[]> {
  const homes = await homesOf(client, address);
  const last = before === null ? null : parsePlacedId(before);
  const partitions = homes[0]?.partition === null ? null : homes.length;
  const from = last === null ? null : placeBehind(last, { partitions, newestFirst: true });
  if (last !== null && from === null) return;
  const scans = homes.flatMap(({ partition, key }) => {
    const to = from === null ? "+" : startIn(partition, from, true);
    const range = { stream: key, from: "-", newestFirst: true, share: homes.length };
    return to === null ? [] : [{ partition, pages: entryPages(client, { ...range, to }) }];
  });
  const pages = scans.map((scan) => scan.pages);
  for await (const merged of mergeScans(pages, true)) {
    yield merged.map(({ scan, entry }) => {
      const partition = scans[scan]?.partition ?? null;
      return { id: encodePlacedId({ partition, id: entry.id }), entry, letter: readLetter(entry, partition) };
    });
  }
}

/** The facts of the newest dead letters, the newest first. */
export async function* letterFacts(client: Reader, address: Address): AsyncGenerator<LetterFacts> {
  const budget = new ReadBudget(MOST_EXAMINED);
  for await (const page of newestEntries(client, address)) {
    for (const { entry, letter } of page) {
      if (!budget.spend(entry)) return;
      if (letter === undefined) continue;
      const { id, reason, error } = letter;
      yield { id, reason, error: error.slice(0, LONGEST_ERROR), atMs: letter.at.getTime() };
    }
  }
}

export async function countLetters(client: Reader, address: Address): Promise<number> {
  const homes = await homesOf(client, address);
  const counts = await Promise.all(homes.map(({ key }) => client.xlen({ stream: key })));
  return counts.reduce((sum, count) => sum + count, 0);
}

export async function readLetterGroups(client: Reader, address: Address): Promise<LetterGroups> {
  const total = await countLetters(client, address);
  const letters: LetterFacts[] = [];
  for await (const letter of letterFacts(client, address)) letters.push(letter);
  return { total, examined: letters.length, groups: groupLetters(letters) };
}

/** Some dead letters with one error, the newest first. */
export async function readLetters(
  client: Reader,
  {
    stream,
    group,
    key,
    before,
    limit,
    mask,
  }: Address & {
    /** Of the group of errors; `null`: any. */
    readonly key: string | null;
    /** Only older ones than this dead letter. */
    readonly before: LetterId | null;
    readonly limit: number;
    readonly mask: readonly string[];
  },
): Promise<{ readonly letters: readonly ShownLetter[]; readonly next: LetterId | null }> {
  const letters: ShownLetter[] = [];
  const budget = new ReadBudget(MOST_EXAMINED);
  let last: LetterId | null = null;
  for await (const page of newestEntries(client, { stream, group }, before)) {
    for (const { id: place, entry, letter } of page) {
      if (letters.length === limit || !budget.spend(entry)) return { letters, next: last };
      last = place;
      if (letter === undefined || (key !== null && keyOfLetter(letter) !== key)) continue;
      const { id, entryId, consumer, deliveries, reason, error, at } = letter;
      const fields = showFields([...letter.entries()].flat(), mask);
      letters.push({
        ...{ id, entryId, consumer, deliveries, reason, fields },
        ...{ error: error.slice(0, LONGEST_ERROR), atMs: at.getTime() },
      });
    }
  }
  return { letters, next: null };
}
