import { type Placed, parsePlacedId } from "../names/placed-id.ts";
import { type DefaultsOf, defaultsOf, type OptionsOf, type PolicyOf, type WithRedis } from "../options/option-spec.ts";
import { OptionsReader } from "../options/options-reader.ts";
import { resolveFilter } from "./filter.ts";
import type { DeadLetter, LetterId } from "./letter.ts";
import {
  CHOSEN_SPEC,
  DEAD_LETTERS_SPEC,
  DISCARD_SPEC,
  FILTERED_SPEC,
  LIST_SPEC,
  REDRIVE_SPEC,
  SUMMARISE_SPEC,
} from "./spec.ts";

export interface DeadLettersOptions extends WithRedis, OptionsOf<typeof DEAD_LETTERS_SPEC> {}
export interface ListLettersOptions extends OptionsOf<typeof LIST_SPEC> {}

export interface SummariseOptions extends OptionsOf<typeof SUMMARISE_SPEC> {}

/** Letters named one by one, by their own ids. */
export interface ChosenLetters extends OptionsOf<typeof CHOSEN_SPEC> {}

/** Letters picked among those that are there when the call begins, oldest first. */
export interface FilteredLetters extends OptionsOf<typeof FILTERED_SPEC> {}

export type RedriveOptions = (ChosenLetters | FilteredLetters) & OptionsOf<typeof REDRIVE_SPEC>;
export type DiscardOptions = (ChosenLetters | FilteredLetters) & OptionsOf<typeof DISCARD_SPEC>;

/** The values of options that are not given. */
export const DEAD_LETTERS_DEFAULTS: DefaultsOf<
  typeof DEAD_LETTERS_SPEC & typeof FILTERED_SPEC & Pick<typeof REDRIVE_SPEC, "ifTrimmed">
> & {
  /** Of `list`; `limit` is that of `redrive` and `discard` with a filter. */
  readonly listLimit: number;
} = {
  ...{ ...defaultsOf(DEAD_LETTERS_SPEC), ...defaultsOf(FILTERED_SPEC), ...defaultsOf(REDRIVE_SPEC) },
  listLimit: LIST_SPEC.limit.default,
};

/** The options, complete and checked. */
export interface DeadLettersPolicy extends PolicyOf<typeof DEAD_LETTERS_SPEC> {}

/**
 * Fills in and checks the options.
 *
 * @throws {ConfigError} naming every problem
 */
export function resolveDeadLettersOptions(options: DeadLettersOptions): DeadLettersPolicy {
  const reader = new OptionsReader("new DeadLetters", options, Object.keys(DEAD_LETTERS_SPEC));
  return reader.finish(reader.read(DEAD_LETTERS_SPEC));
}

/** One page of a list, as it is to be read. */
export interface ListPlan {
  /** Where it begins, itself included; `null`: at the end that comes first. */
  readonly from: Placed | null;
  readonly newestFirst: boolean;
  readonly limit: number;
  /** Whether every letter that is read goes onto the page. */
  readonly takesAll: boolean;
  readonly accepts: (letter: DeadLetter) => boolean;
}

/** @throws {ConfigError} naming every problem */
export function resolveListOptions(options: ListLettersOptions): ListPlan {
  const reader = new OptionsReader("list", options, Object.keys(LIST_SPEC));
  const { limit, filter = "all", from, newestFirst } = reader.read(LIST_SPEC);
  const accepts = reader.collect(
    () => resolveFilter("list", filter),
    () => false,
  );
  return reader.finish({ from: readFrom(from, reader), newestFirst, limit, takesAll: filter === "all", accepts });
}

/** The same for a summary, which looks at the newest. */
export function resolveSummariseOptions(options: SummariseOptions): Pick<ListPlan, "limit" | "accepts"> {
  const reader = new OptionsReader("summarise", options, Object.keys(SUMMARISE_SPEC));
  const { limit, filter = "all" } = reader.read(SUMMARISE_SPEC);
  const accepts = reader.collect(
    () => resolveFilter("summarise", filter),
    () => false,
  );
  return reader.finish({ limit, accepts });
}

/** Which letters a call is about. */
export type Selection =
  | { readonly kind: "ids"; readonly ids: readonly Placed[] }
  | {
      readonly kind: "filter";
      readonly from: Placed | null;
      readonly limit: number;
      readonly accepts: (letter: DeadLetter) => boolean;
    };

/** @throws {ConfigError} naming every problem */
export function resolveRedriveOptions(options: RedriveOptions): {
  readonly selection: Selection;
  readonly ifTrimmed: "skip" | "add";
  readonly toStream: string | undefined;
  readonly perSecond: number | undefined;
} {
  const reader = new OptionsReader("redrive", options, [...SELECTING, ...Object.keys(REDRIVE_SPEC)]);
  const { ifTrimmed, toStream, perSecond } = reader.read(REDRIVE_SPEC);
  return reader.finish({ selection: readSelection("redrive", options, reader), ifTrimmed, toStream, perSecond });
}

/** @throws {ConfigError} naming every problem */
export function resolveDiscardOptions(options: DiscardOptions): {
  readonly selection: Selection;
  readonly perSecond: number | undefined;
} {
  const reader = new OptionsReader("discard", options, [...SELECTING, ...Object.keys(DISCARD_SPEC)]);
  const { perSecond } = reader.read(DISCARD_SPEC);
  return reader.finish({ selection: readSelection("discard", options, reader), perSecond });
}

const SELECTING = Object.keys({ ...CHOSEN_SPEC, ...FILTERED_SPEC });

function readSelection(
  subject: string,
  options: Partial<ChosenLetters & FilteredLetters>,
  reader: OptionsReader,
): Selection {
  const { ids, filter } = options;
  if (ids === undefined && filter === undefined) {
    reader.problem('give ids, or a filter; filter: "all" means every letter');
  }
  if (ids !== undefined) {
    if (filter !== undefined) reader.problem("ids and filter exclude each other; give one");
    for (const name of ["limit", "from"]) if (reader.has(name)) reader.problem(`${name} has no meaning with ids`);
    const places = Array.isArray(ids) ? ids.map(readId) : [null];
    const known = places.filter((place) => place !== null);
    if (known.length < places.length)
      reader.problem('ids must be a list of dead letters\' ids, such as "1700000000000-0"');
    return { kind: "ids", ids: known };
  }
  const { limit, from } = reader.read(FILTERED_SPEC);
  const accepts = reader.collect(
    () => resolveFilter(subject, filter ?? "all"),
    () => false,
  );
  return { kind: "filter", from: readFrom(from, reader), limit, accepts };
}

const readId = (id: unknown): Placed | null => (typeof id === "string" ? parsePlacedId(id) : null);

function readFrom(from: LetterId | undefined, reader: OptionsReader): Placed | null {
  if (from === undefined) return null;
  const place = readId(from);
  if (place === null) reader.problem('from must be a dead letter\'s id, such as "1700000000000-0"');
  return place;
}
