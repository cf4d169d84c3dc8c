/** The dead letters of a group: grouped by their errors, and one by one. */
import { deadLetterKey, type EntryId, type LetterGroup } from "@redis-batch/core";
import type { StreamClient } from "@redis-batch/core/internal/connection";
import { groupLetters, keyOfLetter, type LetterFacts, readLetter } from "@redis-batch/core/internal/messages";
import { entryPages, ReadBudget } from "./entry-pages.ts";
import { type ShownField, showFields } from "./shown-fields.ts";

type Reader = Pick<StreamClient, "xrange" | "xrevrange" | "xlen">;

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
  readonly id: EntryId;
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

/** The facts of the newest dead letters, the newest first. */
export async function* letterFacts(client: Reader, { stream, group }: Address): AsyncGenerator<LetterFacts> {
  const budget = new ReadBudget(MOST_EXAMINED);
  const range = { stream: deadLetterKey(stream, group), from: "-", to: "+", newestFirst: true };
  for await (const page of entryPages(client, range)) {
    for (const entry of page) {
      if (!budget.spend(entry)) return;
      const letter = readLetter(entry);
      if (letter === undefined) continue;
      const { id, reason, error } = letter;
      yield { id, reason, error: error.slice(0, LONGEST_ERROR), atMs: letter.at.getTime() };
    }
  }
}

export const countLetters = (client: Reader, { stream, group }: Address): Promise<number> =>
  client.xlen({ stream: deadLetterKey(stream, group) });

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
    readonly before: EntryId | null;
    readonly limit: number;
    readonly mask: readonly string[];
  },
): Promise<{ readonly letters: readonly ShownLetter[]; readonly next: EntryId | null }> {
  const letters: ShownLetter[] = [];
  const budget = new ReadBudget(MOST_EXAMINED);
  let last: EntryId | null = null;
  const range = { stream: deadLetterKey(stream, group), from: "-", newestFirst: true };
  for await (const page of entryPages(client, { ...range, to: before === null ? "+" : `(${before}` })) {
    for (const entry of page) {
      if (letters.length === limit || !budget.spend(entry)) return { letters, next: last };
      last = entry.id;
      const letter = readLetter(entry);
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
