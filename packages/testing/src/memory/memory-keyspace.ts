import { NoGroupError, WrongTypeError } from "@redis-batch/core";
import type { MemoryGroup } from "./memory-group.ts";
import { MemoryStream } from "./memory-stream.ts";

interface MemoryText {
  readonly text: string;
  readonly expiresAtMs: number;
}

type MemoryHash = Map<string, string>;

interface MemorySortedSet {
  readonly scores: ReadonlyMap<string, number>;
}

type MemoryValue = MemoryStream | MemoryHash | MemorySortedSet | MemoryText;

/** The keys of the in-memory Redis, its clock, and the readers that wait for entries. */
export class MemoryKeyspace {
  readonly nowMs: () => number;
  readonly #values = new Map<string, MemoryValue>();
  /** In the order in which they began to wait: the first gets the next entry. */
  readonly #waiting = new Set<{ readonly key: string; readonly look: () => void }>();

  constructor(nowMs: () => number) {
    this.nowMs = nowMs;
  }

  /** @throws {WrongTypeError} when the key holds something else */
  stream(key: string): MemoryStream | undefined {
    const value = this.#value(key);
    if (value === undefined || value instanceof MemoryStream) return value;
    throw wrongType(key);
  }

  /** @throws {NoGroupError} when there is none */
  existingStream(key: string): MemoryStream {
    const stream = this.stream(key);
    if (stream === undefined) throw new NoGroupError(`there is no stream ${key}`);
    return stream;
  }

  /** Names of streams that match the glob, of which `*` and `?` are known here. */
  streamNames(match: string = "*"): readonly string[] {
    const glob = match
      .replaceAll(/[$()+.[\\\]^{|}]/g, "\\$&")
      .replaceAll("*", ".*")
      .replaceAll("?", ".");
    const isIt = new RegExp(`^${glob}$`, "s");
    return [...this.#values]
      .filter(([key, value]) => value instanceof MemoryStream && isIt.test(key))
      .map(([key]) => key);
  }

  streamOrNew(key: string): MemoryStream {
    return this.stream(key) ?? this.#put(key, new MemoryStream());
  }

  /** @throws {NoGroupError} when stream or group are not there */
  group({ stream, group }: { readonly stream: string; readonly group: string }): MemoryGroup {
    const found = this.existingStream(stream).groups.get(group);
    if (found === undefined) throw new NoGroupError(`${stream} has no group ${group}`);
    return found;
  }

  destroyGroup(stream: string, group: string): void {
    this.existingStream(stream).groups.delete(group);
    this.wake(stream);
  }

  hash(key: string): ReadonlyMap<string, string> {
    const value = this.#value(key);
    if (value === undefined) return new Map();
    if (value instanceof Map) return value;
    throw wrongType(key);
  }

  setHashField(key: string, field: string, text: string): void {
    this.#put(key, new Map(this.hash(key)).set(field, text));
  }

  deleteHashField(key: string, field: string): void {
    const rest = new Map(this.hash(key));
    if (rest.delete(field)) this.#put(key, rest);
  }

  /** The members of a sorted set with their scores, in no order. */
  sortedSet(key: string): ReadonlyMap<string, number> {
    const value = this.#value(key);
    if (value === undefined) return new Map();
    if ("scores" in value) return value.scores;
    throw wrongType(key);
  }

  putSortedSet(key: string, scores: ReadonlyMap<string, number>): void {
    if (scores.size > 0) this.#put(key, { scores });
    else this.#values.delete(key);
  }

  text(key: string): string | undefined {
    const value = this.#value(key);
    if (value === undefined) return undefined;
    if ("text" in value) return value.text;
    throw wrongType(key);
  }

  /** How long a text stays, in milliseconds; infinite where it does not end. */
  leftMs(key: string): number {
    const value = this.#value(key);
    return value !== undefined && "text" in value ? value.expiresAtMs - this.nowMs() : Number.POSITIVE_INFINITY;
  }

  setText(key: string, text: string, expiresAtMs: number = Number.POSITIVE_INFINITY): void {
    this.#put(key, { text, expiresAtMs });
  }

  /** → whether there was one. */
  delete(key: string): boolean {
    const wasThere = this.#value(key) !== undefined;
    this.#values.delete(key);
    this.wake(key);
    return wasThere;
  }

  get readersWaiting(): number {
    return this.#waiting.size;
  }

  /** Has `look` called whenever this key may have changed, until the returned function is. */
  wait(key: string, look: () => void): () => void {
    const waiter = { key, look };
    this.#waiting.add(waiter);
    return () => this.#waiting.delete(waiter);
  }

  wake(key: string): void {
    for (const waiter of [...this.#waiting]) {
      if (waiter.key === key) waiter.look();
    }
  }

  #value(key: string): MemoryValue | undefined {
    const value = this.#values.get(key);
    if (value === undefined || !("expiresAtMs" in value) || value.expiresAtMs > this.nowMs()) return value;
    this.#values.delete(key);
    return undefined;
  }

  #put<Value extends MemoryValue>(key: string, value: Value): Value {
    this.#values.set(key, value);
    return value;
  }
}

const wrongType = (key: string): WrongTypeError => new WrongTypeError(`${key} holds something other than was expected`);
