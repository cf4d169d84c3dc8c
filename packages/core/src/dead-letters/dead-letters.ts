/**
 * The dead letters of one consumer group: lists, redrives and discards them. Its states are those of a CallScope.
 */
import { ConfigError, NoGroupError } from "../errors/errors.ts";
import { readPartitions } from "../groups/partition-count.ts";
import { type EntryId, nextEntryId, previousEntryId } from "../names/entry-id.ts";
import { deadLetterKey } from "../names/keys.ts";
import { quoteName } from "../names/names.ts";
import { encodePlacedId, type Placed, placeBehind, startIn, type Walk } from "../names/placed-id.ts";
import { dependenciesOf } from "../redis/dependencies.ts";
import { CallScope } from "../service/call-scope.ts";
import type { Clock } from "../service/clock.ts";
import { INSPECT, type InspectContext, showAs } from "../service/inspected.ts";
import { createNotifier, createSafeCaller, type Observer } from "../service/observer.ts";
import { describeConnectionEvent, nameService, warningObserver } from "../service/warnings.ts";
import type { ConnectionEvent, StreamClient } from "../stream-client.ts";
import type { Redrive } from "../wire/atomic/redrive.ts";
import type { StreamEntry } from "../wire/entry.ts";
import type { DeadLettersEvent } from "./events.ts";
import { type DeadLetter, type LetterId, readLetter, wholeFieldsOf } from "./letter.ts";
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
import { bytesOf, LARGEST_PAGE, mergeScans, scan } from "./scan.ts";

// Each redrive copies a payload inside the server: small groups let it answer other clients in between.
const REDRIVEN_AT_ONCE = 20;
const DISCARDED_AT_ONCE = 1_000;
// A list keeps what it reads in memory, so it ends its page early if dead letters are large.
const LISTED_BYTES = 16_777_216;

/** What the service stands on, when it is not the network. */
interface Dependencies {
  readonly createClient: (report: (event: ConnectionEvent) => void) => StreamClient;
}

/** Where dead letters are: of the stream, or of one of its partitions. */
interface Home {
  /** `null`: the stream has no partitions. */
  readonly partition: number | null;
  readonly stream: string;
  /** The stream that holds them. */
  readonly key: string;
}

/** One dead letter, and where it is. */
interface Picked {
  readonly home: Home;
  readonly id: EntryId;
}

/** The dead letters that a call has picked: a few, and where to continue after them. */
interface Pick {
  readonly picked: readonly Picked[];
  /** `null` if there are no more to pick from. */
  readonly next: LetterId | null;
}

/**
 * The dead letters of one consumer group of a stream: messages that were rejected, delivered too often, or could not be
 * decoded. Each is kept complete, with its history, until it is redriven or discarded.
 *
 * Connects on first use, reconnects by itself, and stays connected until `close()`. A call that fails with a
 * `ConnectionError` may have done part of its work, and can be repeated: no dead letter is redriven twice.
 *
 * Of a stream with partitions these are the dead letters of all of them, in the order of time. Their ids have the partition in
 * front. With the name of one partition they are those of this partition alone.
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
  #partitions: readonly Home[] | null = null;
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

  /**
   * The key of the stream that holds them. You may read it directly; to remove dead letters, use this class. Of a stream with
   * partitions, each partition has a key of its own: `deadLetterKey()` of its name.
   */
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
    return this.#calls.use(options.signal, async () => {
      const homes = await this.#homes();
      const counts = await Promise.all(homes.map(({ key }) => this.#client.xlen({ stream: key })));
      return counts.reduce((sum, count) => sum + count, 0);
    });
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
    return this.#calls.use(options.signal, async (signal) => {
      const homes = await this.#homes();
      if (from !== null) checkPlaces("list", "from", homes, [from]);
      const walk = { partitions: homes[0].partition === null ? null : homes.length, newestFirst };
      const letters: DeadLetter[] = [];
      let [bytes, foreign] = [0, 0];
      const mostPerPage = takesAll ? limit : LARGEST_PAGE;
      for await (const entries of this.#pages(homes, { from, newestFirst, mostPerPage }, signal)) {
        for (const { home, entry } of entries) {
          const letter = readLetter(entry, home.partition);
          if (letter === undefined) foreign++;
          if (letter === undefined || !accepts(letter)) continue;
          letters.push(letter);
          bytes += bytesOf(entry);
          if (letters.length === limit || bytes >= LISTED_BYTES) {
            return { letters, next: nextAfter({ home, id: entry.id }, walk), foreign };
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
      const newest = { from: null, newestFirst: true, mostPerPage: Math.min(limit, LARGEST_PAGE) };
      for await (const entries of this.#pages(await this.#homes(), newest, signal)) {
        for (const { home, entry } of entries) {
          const letter = readLetter(entry, home.partition);
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
    const { homes, ends } = await this.#calls.use(undefined, async () => {
      const all = await this.#homes();
      return { homes: all, ends: await this.#lastIds(all) };
    });
    // Each page is a call of its own: what the loop does in between may take long.
    const alone =
      (read: PageRead): PageRead =>
      (from, count) =>
        this.#calls.use(undefined, () => read(from, count));
    const { signal } = new AbortController();
    for await (const entries of this.#pages(homes, { from: null, newestFirst: false, ends }, signal, alone)) {
      for (const { home, entry } of entries) {
        const letter = readLetter(entry, home.partition);
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
   * `toStream` must not be a stream with partitions: give the name of one of them.
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
    const { group } = this.#policy;
    return this.#calls.use(options.signal, async (signal) => {
      const homes = await this.#homes();
      if (selection.kind === "ids") checkPlaces("redrive", "ids", homes, selection.ids);
      else if (selection.from !== null) checkPlaces("redrive", "from", homes, [selection.from]);
      if (toStream !== undefined) await this.#refuseWhole(toStream);
      const letters: RedriveOutcome[] = [];
      const counts = { redriven: 0, added: 0, skipped: 0, missing: 0 };
      let next: LetterId | null = null;
      try {
        const pace = new Pace(perSecond, this.#clock);
        for await (const few of this.#pick(homes, selection, signal, pace.atOnce(REDRIVEN_AT_ONCE))) {
          await pace.wait(few.picked.length, signal);
          signal.throwIfAborted();
          const ends = await Promise.allSettled(
            few.picked.map(async ({ home, id }) => ({
              id: encodePlacedId({ ...home, id }),
              ...(toStream === undefined
                ? await this.#client.redrive({ stream: home.stream, group, id, ifTrimmed })
                : await this.#moveTo(toStream, { home, id })),
            })),
          );
          for (const end of ends) {
            if (end.status === "rejected") continue;
            letters.push(end.value);
            counts[end.value.kind]++;
          }
          this.#callOnProgress(onProgress, { ...counts });
          for (const end of ends) if (end.status === "rejected") throw end.reason;
          next = few.next;
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
      const homes = await this.#homes();
      if (selection.kind === "ids") checkPlaces("discard", "ids", homes, selection.ids);
      else if (selection.from !== null) checkPlaces("discard", "from", homes, [selection.from]);
      let discarded = 0;
      try {
        const pace = new Pace(perSecond, this.#clock);
        for await (const { picked } of this.#pick(homes, selection, signal, pace.atOnce(DISCARDED_AT_ONCE))) {
          await pace.wait(picked.length, signal);
          signal.throwIfAborted();
          for (const home of new Set(picked.map((one) => one.home))) {
            const ids = picked.flatMap((one) => (one.home === home ? [one.id] : []));
            discarded += await this.#client.xdel({ stream: home.key, ids });
          }
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
  async #moveTo(stream: string, { home: { key }, id }: Picked): Promise<Redrive> {
    const [entry] = await this.#client.xrange({ stream: key, from: id, to: id, count: 1 });
    if (entry === undefined) return { kind: "missing" };
    const letter = readLetter(entry);
    if (letter === undefined) return { kind: "skipped", why: "not-a-letter" };
    const [added] = await this.#client.xaddMany([{ stream, fields: wholeFieldsOf(letter) }]);
    if (typeof added !== "string") throw added as Error;
    await this.#client.xdel({ stream: key, ids: [id] });
    return { kind: "added", entryId: added };
  }

  /** Each of the partitions, or the stream itself. A stream's partitions never change, once it has any. */
  async #homes(): Promise<readonly [Home, ...Home[]]> {
    const { stream, group } = this.#policy;
    const [first, ...others] = this.#partitions ?? [];
    if (first !== undefined) return [first, ...others];
    const streams = await readPartitions(this.#client, stream);
    if (streams === null) return [{ partition: null, stream, key: this.#key }];
    this.#partitions = streams.map((one, partition) => ({ partition, stream: one, key: deadLetterKey(one, group) }));
    return this.#homes();
  }

  /** Messages in a plain stream beside the partitions are read by nobody. */
  async #refuseWhole(toStream: string): Promise<void> {
    const streams = await readPartitions(this.#client, toStream);
    if (streams === null) return;
    throw new ConfigError("redrive", [
      `toStream: ${quoteName(toStream)} has ${streams.length} partitions: name one of them, such as ${quoteName(String(streams[0]))}`,
    ]);
  }

  /** The entries of all homes in the order of time: from one place on, or back from it. */
  async *#pages(
    homes: readonly Home[],
    { from, newestFirst, mostPerPage = LARGEST_PAGE, ends }: Span,
    signal: AbortSignal,
    over: (read: PageRead) => PageRead = (page) => page,
  ): AsyncGenerator<readonly { readonly home: Home; readonly entry: StreamEntry }[], void, undefined> {
    const step = newestFirst ? previousEntryId : nextEntryId;
    const read = homes.flatMap((home, at) => {
      const end = ends === undefined ? (newestFirst ? "-" : "+") : ends[at];
      const start = from === null ? (newestFirst ? "+" : "0-0") : startIn(home.partition, from, newestFirst);
      if (end === null || end === undefined || start === null) return [];
      const page: PageRead = (first, count) => {
        signal.throwIfAborted();
        const stream = home.key;
        return newestFirst
          ? this.#client.xrevrange({ stream, from: end, to: first, count })
          : this.#client.xrange({ stream, from: first, to: end, count });
      };
      return [{ home, entries: scan(over(page), start, mostPerPage, step, homes.length) }];
    });
    const scans = read.map(({ entries }) => entries);
    for await (const merged of mergeScans(scans, newestFirst)) {
      yield merged.flatMap(({ scan: at, entry }) => {
        const home = read[at]?.home;
        return home === undefined ? [] : [{ home, entry }];
      });
    }
  }

  /** The dead letters of a call, a few at a time. */
  async *#pick(
    homes: readonly Home[],
    selection: Selection,
    signal: AbortSignal,
    atOnce: number,
  ): AsyncGenerator<Pick, void, undefined> {
    if (selection.kind === "ids") {
      const chosen = selection.ids.flatMap(({ partition, id }) => {
        const home = homes.find((one) => one.partition === partition);
        return home === undefined ? [] : [{ home, id }];
      });
      for (const picked of chunks(chosen, atOnce)) yield { picked, next: null };
      return;
    }
    // Messages dead-lettered from now on are left out: one that fails again at once would be redriven forever.
    const ends = await this.#lastIds(homes);
    const { from, limit, accepts } = selection;
    let left = limit;
    for await (const entries of this.#pages(homes, { from, newestFirst: false, ends }, signal)) {
      const chosen: Picked[] = [];
      for (const { home, entry } of entries) {
        const letter = readLetter(entry, home.partition);
        if (letter === undefined || !accepts(letter)) continue;
        chosen.push({ home, id: entry.id });
        left--;
        if (left === 0) break;
      }
      for (const picked of chunks(chosen, atOnce)) yield { picked, next: null };
      const last = chosen.at(-1);
      if (left === 0 && last !== undefined) {
        const walk = { partitions: homes[0]?.partition === null ? null : homes.length, newestFirst: false };
        yield { picked: [], next: nextAfter(last, walk) };
        return;
      }
    }
  }

  /** Of each home the id of its newest dead letter, even if it was deleted; `null` if there never was one. */
  #lastIds(homes: readonly Home[]): Promise<readonly (EntryId | null)[]> {
    return Promise.all(
      homes.map(async ({ key }) => {
        try {
          return (await this.#client.xinfoStream({ stream: key })).lastGeneratedId;
        } catch (error) {
          if (NoGroupError.is(error)) return null;
          throw error;
        }
      }),
    );
  }
}

type PageRead = (from: string, count: number) => Promise<readonly StreamEntry[]>;

interface Span {
  /** `null`: from the end that comes first. */
  readonly from: Placed | null;
  readonly newestFirst: boolean;
  readonly mostPerPage?: number;
  /** The last id of each home, itself included; `null`: it has none. Default: as far as there is anything. */
  readonly ends?: readonly (EntryId | null)[];
}

/** @throws {ConfigError} when ids are without the partition that they are in, or with one that is not there */
function checkPlaces(call: string, option: string, homes: readonly Home[], places: readonly Placed[]): void {
  const isWhole = homes.length === 1 && homes[0]?.partition === null;
  const wrong = places.find(({ partition }) => !homes.some((home) => home.partition === partition));
  // Reading may begin at a time as well.
  if (wrong === undefined || (option === "from" && wrong.partition === null)) return;
  const id = encodePlacedId(wrong);
  throw new ConfigError(call, [
    isWhole
      ? `${option}: ${id} names a partition, and the stream has none`
      : wrong.partition === null
        ? `${option}: the stream has ${homes.length} partitions, and ${id} does not say in which: 0/${id} is in the first`
        : `${option}: ${id}: the stream has ${homes.length} partitions, from 0 to ${homes.length - 1}`,
  ]);
}

function nextAfter({ home, id }: Picked, walk: Walk): LetterId | null {
  const next = placeBehind({ partition: home.partition, id }, walk);
  return next === null ? null : encodePlacedId(next);
}

function* chunks<Item>(items: readonly Item[], size: number): Generator<readonly Item[]> {
  for (let start = 0; start < items.length; start += size) yield items.slice(start, start + size);
}
