/** The options of dead letters, and of their calls. Each is written here, and nowhere else. */
import type { OptionSpecs } from "../options/option-spec.ts";
import type { CredentialsFunction } from "../redis/credentials.ts";
import type { Observer } from "../service/observer.ts";
import type { DeadLettersEvent } from "./events.ts";
import type { LetterFilter } from "./filter.ts";
import type { LetterId } from "./letter.ts";
import type { DiscardProgress, RedriveCounts } from "./report.ts";

export const DEAD_LETTERS_SPEC = {
  redis: { kind: "redis" },
  /**
   * Returns user, password or certificates; may be asynchronous. It is called before each connection, so what is rotated
   * takes effect without a restart. Default: those of `redis`.
   */
  credentials: {
    ...{ kind: "function", value: {} as CredentialsFunction, otherwise: "those of `redis`" },
    about:
      "returns user, password or certificates; called [before each connection](../../docs/connecting-credentials.md#rotating-passwords-tokens-and-certificates)",
  },
  /** How long a call waits for a connection, in milliseconds, 100 to 600,000. Default 30,000. */
  connectTimeoutMs: {
    ...{ kind: "milliseconds", min: 100, max: 600_000, default: 30_000 },
    about: "maximum time that a call waits for a connection",
  },
  /** Receives every event. Without one, a connection that cannot be had is reported as a process warning. */
  observer: {
    ...{
      kind: "function",
      value: {} as Observer<DeadLettersEvent>,
      otherwise: "a process warning if it cannot connect",
    },
    about: "receives every `DeadLettersEvent`",
  },
  /** The stream's key. If it has partitions, the dead letters are those of all of them. */
  stream: {
    ...{ kind: "stream", required: true },
    about: "the stream's key; if it has [partitions](../../docs/partitions.md), of all of them",
  },
  /** The consumer group whose dead letters these are. */
  group: { kind: "name", required: true, about: "the consumer group whose dead letters these are" },
} as const satisfies OptionSpecs;

export const LIST_SPEC = {
  /** Whether the page has the newest letters, newest first. Default `false`: the oldest. */
  newestFirst: { kind: "flag", default: false, about: "the newest dead letters, newest first" },
  /** Letters on the page at most, 1 to 10,000. Default 100. */
  limit: { kind: "integer", min: 1, max: 10_000, default: 100, about: "maximum number of dead letters on the page" },
  /** Which letters. Default `"all"`. Letters that it leaves out are read nevertheless, a page at a time. */
  filter: { kind: "own", value: {} as LetterFilter, otherwise: '`"all"`', about: "which dead letters" },
  /** The letter to begin with, itself included: the `next` of the page before. Default: the oldest. */
  from: {
    ...{ kind: "own", value: "" as LetterId, otherwise: "the oldest" },
    about: "first dead letter: the `next` of the page before",
  },
  /** Ends the reading; the call rejects with the signal's reason. */
  signal: { kind: "signal", about: "stops the reading when it is aborted" },
} as const satisfies OptionSpecs;

export const SUMMARISE_SPEC = {
  /** Which letters. Default `"all"`. */
  filter: { kind: "own", value: {} as LetterFilter, otherwise: '`"all"`', about: "which dead letters" },
  /** Letters that are looked at, the newest, 1 to 1,000,000. Default 10,000. */
  limit: {
    ...{ kind: "integer", min: 1, max: 1_000_000, default: 10_000 },
    about: "dead letters that are looked at, the newest",
  },
  /** Ends the reading; the call rejects with the signal's reason. */
  signal: { kind: "signal", about: "stops the reading when it is aborted" },
} as const satisfies OptionSpecs;

/** Letters named one by one. */
export const CHOSEN_SPEC = {
  /** The letters' own ids. */
  ids: { kind: "own", required: true, value: [] as readonly LetterId[], about: "ids of the dead letters" },
} as const satisfies OptionSpecs;

/** Letters picked among those that are there. */
export const FILTERED_SPEC = {
  /** Which letters; `"all"` for every one. */
  filter: {
    kind: "own",
    required: true,
    value: {} as LetterFilter,
    about: 'which dead letters; `"all"` for every one',
  },
  /** Letters at most, 1 to 100,000. Default 1,000. */
  limit: { kind: "integer", min: 1, max: 100_000, default: 1_000, about: "maximum number of dead letters" },
  /** The letter to begin with, itself included: the `next` of the report before. Default: the oldest. */
  from: {
    ...{ kind: "own", value: "" as LetterId, otherwise: "the oldest" },
    about: "first dead letter: the `next` of the report before",
  },
} as const satisfies OptionSpecs;

export const REDRIVE_SPEC = {
  /**
   * What becomes of a letter whose entry is no longer in the stream. `"skip"` (default): it stays a dead letter.
   * `"add"`: its fields are added to the stream as a new entry, with a new id, which **every** group of the stream gets.
   */
  ifTrimmed: {
    kind: "choice",
    choices: ["skip", "add"],
    default: "skip",
    about: "what to do if the entry is no longer in the stream",
  },
  /**
   * Another stream: the message is added to it as a new entry, and not returned to its group. A crash between the two steps
   * leaves the dead letter, so the message may be added twice, and is never lost. It must not have partitions, but may be one.
   * Default: the letter's own group.
   */
  toStream: { kind: "name", otherwise: "its own group", about: "another stream to add the messages to" },
  /** Letters per second at most, 0.01 to 100,000. Default: as fast as the server answers. */
  perSecond: {
    ...{ kind: "number", min: 0.01, max: 100_000, otherwise: "no limit" },
    about: "maximum number of dead letters per second",
  },
  /** Called with the counts so far, after every few letters. */
  onProgress: {
    ...{ kind: "function", value: {} as (progress: RedriveCounts) => void },
    about: "called with the counts so far, after every few dead letters",
  },
  /** Ends the work after the letters under way; the call rejects with the signal's reason. */
  signal: { kind: "signal", about: "stops the work after the dead letters in progress" },
} as const satisfies OptionSpecs;

export const DISCARD_SPEC = {
  /** Letters per second at most, 0.01 to 100,000. Default: as fast as the server answers. */
  perSecond: {
    ...{ kind: "number", min: 0.01, max: 100_000, otherwise: "no limit" },
    about: "maximum number of dead letters per second",
  },
  /** Called with the counts so far, after every page. */
  onProgress: {
    ...{ kind: "function", value: {} as (progress: DiscardProgress) => void },
    about: "called with the counts so far, after every page",
  },
  /** Ends the work after the page under way; the call rejects with the signal's reason. */
  signal: { kind: "signal", about: "stops the work after the page in progress" },
} as const satisfies OptionSpecs;
