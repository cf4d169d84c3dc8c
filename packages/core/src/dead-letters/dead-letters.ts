/**
 * The dead letters of one consumer group: lists, redrives and discards them. Its states are those of a CallScope.
 */
import { NoGroupError } from "../errors/errors.ts";
import { type EntryId, nextEntryId, previousEntryId } from "../names/entry-id.ts";
import { deadLetterKey } from "../names/keys.ts";
import { dependenciesOf } from "../redis/dependencies.ts";
import { CallScope } from "../service/call-scope.ts";
import type { Clock } from "../service/clock.ts";
import { INSPECT, type InspectContext, showAs } from "../service/inspected.ts";
import { createNotifier, createSafeCaller, type Observer } from "../service/observer.ts";
import { describeConnectionEvent, nameService, warningObserver } from "../service/warnings.ts";
import type { ConnectionEvent, StreamClient } from "../stream-client.ts";
import type { Redrive } from "../wire/atomic/redrive.ts";
import type { DeadLettersEvent } from "./events.ts";
import { type DeadLetter, readLetter, wholeFieldsOf } from "./letter.ts";
import { LetterTally } from "./letter-groups.ts";
import {
  type DeadLettersOptions,
  type DeadLettersPolicy,
  type DiscardOptions,
  type ListLettersOptions,
  type RedriveOptions,
  resolveDeadLettersOptions,
  resolveDiscardOptions,
  resolveListOptions,
  resolveRedriveOptions,
  resolveSummariseOptions,
  type Selection,
  type SummariseOptions,
} from "./options.ts";
import { Pace } from "./pace.ts";
import type { LetterPage, LetterSummary, RedriveOutcome, RedriveReport } from "./report.ts";
import { bytesOf, LARGEST_PAGE, scan } from "./scan.ts";

// Each redrive copies a payload inside the server: small groups let it answer other clients in between.
const REDRIVEN_AT_ONCE = 20;
const DISCARDED_AT_ONCE = 1_000;
// A list keeps what it reads in memory, so it ends its page early if dead letters are large.
const LISTED_BYTES = 16_777_216;

/** What the service stands on, when it is not the network. */
interface Dependencies {
  readonly createClient: (report: (event: ConnectionEvent) => void) => StreamClient;
}

/** The dead letters that a call has picked: a few ids, and where to continue after them. */
interface Pick {
  readonly ids: readonly EntryId[];
  /** `null` if there are no more to pick from. */
  readonly next: EntryId | null;
}

/**
 * The dead letters of one consumer group of a stream: messages that were rejected, delivered too often, or could not be
 * decoded. Each is kept complete, with its history, until it is redriven or discarded.
 *
 * Connects on first use, reconnects by itself, and stays connected until `close()`. A call that fails with a
 * `ConnectionError` may have done part of its work, and can be repeated: no dead letter is redriven twice.
 *
 * @example
 * const deadLetters = new DeadLetters({ redis: "redis://localhost:6379", stream: "orders", group: "billing" });
 * for await (const letter of deadLetters) console.log(letter.entryId, letter.reason, letter.error);
 * await deadLetters.redrive({ filter: { reason: "maxDeliveries" } });
 * await deadLetters.close();
 */
export class DeadLetters {
  readonly #policy: DeadLettersPolicy;
  readonly #key: string;
  readonly #notify: Observer<DeadLettersEvent>;
  readonly #calls: CallScope;
  readonly #clock: Clock;
  readonly #callOnProgress = createSafeCaller("onProgress of the dead letters");

  /** @throws {ConfigError} naming every wrong option */
  constructor(options: DeadLettersOptions);
  /** @internal */
  constructor(options: DeadLettersOptions, dependencies: Dependencies);
  constructor(options: DeadLettersOptions, dependencies?: Dependencies) {
    const policy = resolveDeadLettersOptions(options);
    this.#policy = policy;
    this.#key = deadLetterKey(policy.stream, policy.group);
    const { clock, createClient } = dependenciesOf(policy.redis);
    const subject = nameService("dead letters", policy.stream, policy.group);
    const observer = policy.observer ?? warningObserver(subject, describeConnectionEvent, clock);
    this.#clock = clock;
    this.#notify = createNotifier("dead-letters", observer);
    // No read ever blocks here.
    const actor = { role: "deadLetters", stream: policy.stream } as const;
    const overTheNetwork: Dependencies["createClient"] = (report) =>
      createClient({ redis: policy.redis, credentials: policy.credentials, blockMs: 0, actor, report });
    this.#calls = new CallScope({
      whenClosed: "the dead letters were closed",
      connectTimeoutMs: policy.connectTimeoutMs,
      clock,
      report: this.#notify,
      createClient: dependencies?.createClient ?? overTheNetwork,
    });
  }

  /** The key of the stream that holds them. You may read it directly; to remove dead letters, use this class. */
  get key(): string {
    return this.#key;
  }

  get #client(): StreamClient {
    return this.#calls.client;
  }

  /**
   * The number of dead letters; 0 if the stream or the group does not exist.
   *
   * @throws {ConnectionError} when there is no connection within `connectTimeoutMs`, or it fails
   * @throws {UsageError} after `close()`
   */
  count(options: { readonly signal?: AbortSignal } = {}): Promise<number> {
    return this.#calls.use(options.signal, () => this.#client.xlen({ stream: this.#key }));
  }

  /**
   * One page of dead letters, oldest first, or with `newestFirst` the other way round. It has fewer than `limit` if there are no more, or if the page exceeds
   * 16 MiB. The next page starts at `next`.
   *
   * @throws {ConfigError} naming every wrong option
   * @throws {ConnectionError} when there is no connection within `connectTimeoutMs`, or it fails
   * @throws {WrongTypeError} when the group's key for dead letters holds something else
   * @throws {UsageError} after `close()`
   *
   * @example
   * const { letters, next } = await deadLetters.list({ filter: { reason: "undecodable" }, limit: 20 });
   */
  async list(options: ListLettersOptions = {}): Promise<LetterPage> {
    const { from, newestFirst, limit, takesAll, accepts } = resolveListOptions(options);
    const step = newestFirst ? previousEntryId : nextEntryId;
    return this.#calls.use(options.signal, async (signal) => {
      const letters: DeadLetter[] = [];
      let [bytes, foreign] = [0, 0];
      const mostPerPage = takesAll ? limit : LARGEST_PAGE;
      const to = newestFirst ? "-" : "+";
      for await (const entries of this.#pages({ from, to, newestFirst, mostPerPage }, signal)) {
        for (const entry of entries) {
          const letter = readLetter(entry);
          if (letter === undefined) foreign++;
          if (letter === undefined || !accepts(letter)) continue;
          letters.push(letter);
          bytes += bytesOf(entry);
          if (letters.length === limit || bytes >= LISTED_BYTES) {
            return { letters, next: step(letter.id), foreign };
          }
        }
      }
      return { letters, next: null, foreign };
    });
  }

  /**
   * Dead letters by what went wrong: errors that differ only in ids, numbers or times are one. Looks at the newest `limit`
   * of them, and holds one page in memory.
   *
   * @throws {ConfigError} naming every wrong option
   * @throws {ConnectionError} when there is no connection within `connectTimeoutMs`, or it fails
   * @throws {WrongTypeError} when the group's key for dead letters holds something else
   * @throws {UsageError} after `close()`
   *
   * @example
   * for (const { letters, error } of (await deadLetters.summarise()).groups) console.log(letters, error);
   */
  async summarise(options: SummariseOptions = {}): Promise<LetterSummary> {
    const { limit, accepts } = resolveSummariseOptions(options);
    return this.#calls.use(options.signal, async (signal) => {
      const tally = new LetterTally();
      let examined = 0;
      const newest = { from: "+", to: "-", newestFirst: true, mostPerPage: Math.min(limit, LARGEST_PAGE) };
      for await (const entries of this.#pages(newest, signal)) {
        for (const entry of entries) {
          const letter = readLetter(entry);
          if (letter !== undefined && accepts(letter)) {
            const { id, reason, error, at } = letter;
            tally.add({ id, reason, error, atMs: at.getTime() });
          }
          if (++examined === limit) return { groups: tally.groups, examined, isAll: false };
        }
      }
      return { groups: tally.groups, examined, isAll: true };
    });
  }

  /**
   * Every dead letter that exists when the loop begins, oldest first. Holds one page in memory. You may redrive and
   * discard dead letters inside the loop.
   */
  async *[Symbol.asyncIterator](): AsyncGenerator<DeadLetter, void, undefined> {
    const end = await this.#calls.use(undefined, () => this.#lastId());
    if (end === null) return;
    const read = (from: string, count: number) =>
      this.#calls.use(undefined, () => this.#client.xrange({ stream: this.#key, from, to: end, count }));
    for await (const entries of scan(read, "0-0")) {
      for (const entry of entries) {
        const letter = readLetter(entry);
        if (letter !== undefined) yield letter;
      }
    }
  }

  /**
   * Returns messages to their group, and only to it, or adds them to the stream `toStream`. Each becomes pending again under its original entry id, with a
   * delivery count of 0, until a consumer claims it as it claims the messages of a dead process. The dead letter is
   * deleted in the same step, so redriving it twice has an effect only once.
   *
   * A dead letter stays if its entry is no longer in the stream, unless `ifTrimmed: "add"` adds the message again. It
   * also stays if the group is processing the message, or has not read it yet. After an error, the dead letters that
   * were not redriven still exist, and `onProgress` has reported the counts of the others.
   *
   * @returns the result for each dead letter
   * @throws {ConfigError} naming every wrong option; nothing was done
   * @throws {NoGroupError} when an entry exists but the group does not: there is no pending list to put it into
   * @throws {ServerStateError} when the server temporarily refuses commands; a full server (OOM) refuses only `ifTrimmed: "add"`
   * @throws {ConnectionError} when there is no connection within `connectTimeoutMs`, or it fails
   * @throws {WrongTypeError} when a key holds something other than a stream
   * @throws {UsageError} after `close()`
   *
   * @example
   * const { redriven, skipped, letters } = await deadLetters.redrive({ filter: { reason: "maxDeliveries" }, limit: 50 });
   */
  async redrive(options: RedriveOptions): Promise<RedriveReport> {
    const { selection, ifTrimmed, toStream, perSecond } = resolveRedriveOptions(options);
    const { onProgress } = options;
    const { stream, group } = this.#policy;
    return this.#calls.use(options.signal, async (signal) => {
      const letters: RedriveOutcome[] = [];
      const counts = { redriven: 0, added: 0, skipped: 0, missing: 0 };
      let next: EntryId | null = null;
      try {
        const pace = new Pace(perSecond, this.#clock);
        for await (const picked of this.#pick(selection, signal, pace.atOnce(REDRIVEN_AT_ONCE))) {
          await pace.wait(picked.ids.length, signal);
          signal.throwIfAborted();
          const ends = await Promise.allSettled(
            picked.ids.map(async (id) => ({
              id,
              ...(toStream === undefined
                ? await this.#client.redrive({ stream, group, id, ifTrimmed })
                : await this.#moveTo(toStream, id)),
            })),
          );
          for (const end of ends) {
            if (end.status === "rejected") continue;
            letters.push(end.value);
            counts[end.value.kind]++;
          }
          this.#callOnProgress(onProgress, { ...counts });
          for (const end of ends) if (end.status === "rejected") throw end.reason;
          next = picked.next;
        }
      } finally {
        this.#notify({ type: "redriven", ...counts });
      }
      return { ...counts, letters, next };
    });
  }

  /**
   * Deletes dead letters permanently. The messages' entries in the stream are not touched.
   *
   * @returns how many were deleted; fewer than the ids if some were already gone
   * @throws {ConfigError} naming every wrong option; nothing was done
   * @throws {ConnectionError} when there is no connection within `connectTimeoutMs`, or it fails
   * @throws {WrongTypeError} when the group's key for dead letters holds something else
   * @throws {UsageError} after `close()`
   *
   * @example
   * await deadLetters.discard({ filter: { before: new Date("2026-01-01") }, limit: 10_000 });
   */
  async discard(options: DiscardOptions): Promise<number> {
    const { selection, perSecond } = resolveDiscardOptions(options);
    const { onProgress } = options;
    return this.#calls.use(options.signal, async (signal) => {
      let discarded = 0;
      try {
        const pace = new Pace(perSecond, this.#clock);
        for await (const { ids } of this.#pick(selection, signal, pace.atOnce(DISCARDED_AT_ONCE))) {
          await pace.wait(ids.length, signal);
          signal.throwIfAborted();
          if (ids.length > 0) discarded += await this.#client.xdel({ stream: this.#key, ids });
          this.#callOnProgress(onProgress, { discarded });
        }
      } finally {
        this.#notify({ type: "discarded", discarded });
      }
      return discarded;
    });
  }

  /**
   * Stops running calls after their current group of dead letters, so that their promises reject with a `UsageError`,
   * then closes the connection. Idempotent.
   */
  close(): Promise<void> {
    return this.#calls.close();
  }

  /** The same as `close()`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** @internal */
  [INSPECT](depth: number, options: InspectContext): string {
    return showAs(
      "DeadLetters",
      { stream: this.#policy.stream, group: this.#policy.group, state: this.#calls.state },
      depth,
      options,
    );
  }

  /** Adds the message to another stream, then deletes the dead letter: a crash in between duplicates, and loses nothing. */
  async #moveTo(stream: string, id: EntryId): Promise<Redrive> {
    const [entry] = await this.#client.xrange({ stream: this.#key, from: id, to: id, count: 1 });
    if (entry === undefined) return { kind: "missing" };
    const letter = readLetter(entry);
    if (letter === undefined) return { kind: "skipped", why: "not-a-letter" };
    const [added] = await this.#client.xaddMany([{ stream, fields: wholeFieldsOf(letter) }]);
    if (typeof added !== "string") throw added as Error;
    await this.#client.xdel({ stream: this.#key, ids: [id] });
    return { kind: "added", entryId: added };
  }

  /** From one id to another, or back: then `from` is the newer one. */
  #pages({ from, to, newestFirst = false, mostPerPage = LARGEST_PAGE }: Span, signal: AbortSignal) {
    const read = (start: string, count: number) => {
      signal.throwIfAborted();
      const stream = this.#key;
      return newestFirst
        ? this.#client.xrevrange({ stream, from: to, to: start, count })
        : this.#client.xrange({ stream, from: start, to, count });
    };
    return scan(read, from, mostPerPage, newestFirst ? previousEntryId : nextEntryId);
  }

  /** The dead letters of a call, a few at a time. */
  async *#pick(selection: Selection, signal: AbortSignal, atOnce: number): AsyncGenerator<Pick, void, undefined> {
    if (selection.kind === "ids") {
      for (const ids of chunks(selection.ids, atOnce)) yield { ids, next: null };
      return;
    }
    // Messages dead-lettered from now on are left out: one that fails again at once would be redriven forever.
    const end = await this.#lastId();
    if (end === null) return;
    const { from, limit, accepts } = selection;
    let left = limit;
    for await (const entries of this.#pages({ from, to: end }, signal)) {
      const ids: EntryId[] = [];
      for (const entry of entries) {
        const letter = readLetter(entry);
        if (letter === undefined || !accepts(letter)) continue;
        ids.push(entry.id);
        left--;
        if (left === 0) break;
      }
      for (const few of chunks(ids, atOnce)) yield { ids: few, next: null };
      if (left === 0) {
        yield { ids: [], next: nextEntryId(ids.at(-1) as EntryId) };
        return;
      }
    }
  }

  /** The id of the newest dead letter, even if it was deleted; `null` if there never was one. */
  async #lastId(): Promise<EntryId | null> {
    try {
      return (await this.#client.xinfoStream({ stream: this.#key })).lastGeneratedId;
    } catch (error) {
      if (NoGroupError.is(error)) return null;
      throw error;
    }
  }
}

interface Span {
  readonly from: string;
  readonly to: string;
  /** Default `false`. */
  readonly newestFirst?: boolean;
  readonly mostPerPage?: number;
}

function* chunks(ids: readonly EntryId[], size: number): Generator<readonly EntryId[]> {
  for (let start = 0; start < ids.length; start += size) yield ids.slice(start, start + size);
}
