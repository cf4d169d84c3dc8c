import { type EntryId, isEntryId } from "../names/entry-id.ts";
import { OptionsReader } from "../options/options-reader.ts";
import { readService, readStream } from "../options/service-options.ts";
import type { RedisSource } from "../redis/open-client.ts";
import type { Observer } from "../service/observer.ts";
import type { DeadLettersEvent } from "./events.ts";
import { type LetterFilter, resolveFilter } from "./filter.ts";
import type { DeadLetter } from "./letter.ts";
import type { DiscardProgress, RedriveCounts } from "./report.ts";

export interface DeadLettersOptions {
  /**
   * Where Redis is: a URL (`redis://`, `rediss://`, `unix://`), ioredis options (Sentinel's too), or an ioredis
   * `Redis` or `Cluster`, which is duplicated and never used or closed itself.
   */
  readonly redis: RedisSource;
  /** The stream's key. */
  readonly stream: string;
  /** The consumer group whose dead letters these are. */
  readonly group: string;
  /** How long a call waits for a connection, in milliseconds, 100 to 600,000. Default 30,000. */
  readonly connectTimeoutMs?: number | undefined;
  /** Receives every event. Without one, a connection that cannot be had is reported as a process warning. */
  readonly observer?: Observer<DeadLettersEvent> | undefined;
}

export interface ListLettersOptions {
  /** The letter to begin with, itself included: the `next` of the page before. Default: the oldest. */
  readonly from?: EntryId | undefined;
  /** Letters on the page at most, 1 to 10,000. Default 100. */
  readonly limit?: number | undefined;
  /** Which letters. Default `"all"`. Letters that it leaves out are read nevertheless, a page at a time. */
  readonly filter?: LetterFilter | undefined;
  /** Ends the reading; the call rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/** Letters named one by one, by their own ids. */
export interface ChosenLetters {
  readonly ids: readonly EntryId[];
}

/** Letters picked among those that are there when the call begins, oldest first. */
export interface FilteredLetters {
  /** Which letters; `"all"` for every one. */
  readonly filter: LetterFilter;
  /** Letters at most, 1 to 100,000. Default 1,000. */
  readonly limit?: number | undefined;
  /** The letter to begin with, itself included: the `next` of the report before. Default: the oldest. */
  readonly from?: EntryId | undefined;
}

interface RedriveSettings {
  /**
   * What becomes of a letter whose entry is no longer in the stream. `"skip"` (default): it stays a dead letter.
   * `"add"`: its fields are added to the stream as a new entry, with a new id, which **every** group of the stream gets.
   */
  readonly ifTrimmed?: "skip" | "add" | undefined;
  /** Called with the counts so far, after every few letters. */
  readonly onProgress?: ((progress: RedriveCounts) => void) | undefined;
  /** Ends the work after the letters under way; the call rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

interface DiscardSettings {
  /** Called with the counts so far, after every page. */
  readonly onProgress?: ((progress: DiscardProgress) => void) | undefined;
  /** Ends the work after the page under way; the call rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

export type RedriveOptions = (ChosenLetters | FilteredLetters) & RedriveSettings;
export type DiscardOptions = (ChosenLetters | FilteredLetters) & DiscardSettings;

/** The values of options that are not given. */
export const DEAD_LETTERS_DEFAULTS = {
  connectTimeoutMs: 30_000,
  /** Of `list`. */
  listLimit: 100,
  /** Of `redrive` and `discard` with a filter. */
  limit: 1_000,
  ifTrimmed: "skip",
} as const;

/** The options, complete and checked. */
export interface DeadLettersPolicy {
  readonly redis: RedisSource;
  readonly stream: string;
  readonly group: string;
  readonly connectTimeoutMs: number;
  readonly observer: Observer<DeadLettersEvent> | undefined;
}

/**
 * Fills in and checks the options.
 *
 * @throws {ConfigError} naming every problem
 */
export function resolveDeadLettersOptions(options: DeadLettersOptions): DeadLettersPolicy {
  const known = ["redis", "stream", "group", "connectTimeoutMs", "observer"];
  const reader = new OptionsReader("new DeadLetters", options, known);
  const service = readService(reader, options, DEAD_LETTERS_DEFAULTS);
  const stream = readStream(reader);
  return reader.finish({ ...service, stream, group: reader.name("group") });
}

/** One page of a list, as it is to be read. */
export interface ListPlan {
  readonly from: string;
  readonly limit: number;
  /** Whether every letter that is read goes onto the page. */
  readonly takesAll: boolean;
  readonly accepts: (letter: DeadLetter) => boolean;
}

/** @throws {ConfigError} naming every problem */
export function resolveListOptions(options: ListLettersOptions): ListPlan {
  const reader = new OptionsReader("list", options, ["from", "limit", "filter", "signal"]);
  const { filter = "all" } = options;
  const limit = reader.integer("limit", { default: DEAD_LETTERS_DEFAULTS.listLimit, min: 1, max: 10_000 });
  const accepts = reader.collect(
    () => resolveFilter("list", filter),
    () => false,
  );
  return reader.finish({ from: readFrom(options.from, reader), limit, takesAll: filter === "all", accepts });
}

/** Which letters a call is about. */
export type Selection =
  | { readonly kind: "ids"; readonly ids: readonly EntryId[] }
  | {
      readonly kind: "filter";
      readonly from: string;
      readonly limit: number;
      readonly accepts: (letter: DeadLetter) => boolean;
    };

/** @throws {ConfigError} naming every problem */
export function resolveRedriveOptions(options: RedriveOptions): {
  readonly selection: Selection;
  readonly ifTrimmed: "skip" | "add";
} {
  const reader = new OptionsReader("redrive", options, [...SELECTING, "ifTrimmed"]);
  return reader.finish({
    selection: readSelection("redrive", options, reader),
    ifTrimmed: reader.oneOf("ifTrimmed", ["skip", "add"], DEAD_LETTERS_DEFAULTS.ifTrimmed),
  });
}

/** @throws {ConfigError} naming every problem */
export function resolveDiscardOptions(options: DiscardOptions): Selection {
  const reader = new OptionsReader("discard", options, SELECTING);
  return reader.finish(readSelection("discard", options, reader));
}

const SELECTING = ["ids", "filter", "limit", "from", "onProgress", "signal"];

function readSelection(
  subject: string,
  options: Partial<ChosenLetters & FilteredLetters & { readonly onProgress: unknown }>,
  reader: OptionsReader,
): Selection {
  const { ids, filter, from, onProgress } = options;
  if (onProgress !== undefined && typeof onProgress !== "function") reader.problem("onProgress must be a function");
  if (ids === undefined && filter === undefined) {
    reader.problem('give ids, or a filter; filter: "all" means every letter');
  }
  if (ids !== undefined) {
    if (filter !== undefined) reader.problem("ids and filter exclude each other; give one");
    for (const name of ["limit", "from"]) if (reader.has(name)) reader.problem(`${name} has no meaning with ids`);
    const areIds = Array.isArray(ids) && ids.every((id) => typeof id === "string" && isEntryId(id));
    if (!areIds) reader.problem('ids must be a list of dead letters\' ids, such as "1700000000000-0"');
    return { kind: "ids", ids: areIds ? [...ids] : [] };
  }
  const limit = reader.integer("limit", { default: DEAD_LETTERS_DEFAULTS.limit, min: 1, max: 100_000 });
  const accepts = reader.collect(
    () => resolveFilter(subject, filter ?? "all"),
    () => false,
  );
  return { kind: "filter", from: readFrom(from, reader), limit, accepts };
}

function readFrom(from: EntryId | undefined, reader: OptionsReader): string {
  if (from === undefined) return "0-0";
  if (typeof from === "string" && isEntryId(from)) return from;
  reader.problem('from must be a dead letter\'s id, such as "1700000000000-0"');
  return "0-0";
}
