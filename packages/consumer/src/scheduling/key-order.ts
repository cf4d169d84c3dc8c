/**
 * Which message of a key waits behind which (`orderBy`). The one owner of it: `held-messages.ts` tells it what happens, and
 * asks it what may be offered.
 *
 * New messages are in stream order in memory, and so are those of each key. A key has a line only while more than that is to
 * be known: while another batch is open that has one of its messages, or while one of its messages is neither new nor done.
 *
 * | in the line | is                                                                                                     |
 * |-------------|--------------------------------------------------------------------------------------------------------|
 * | parked      | held by its id only, in no queue: another message of its key is in front of it, or its batch is open    |
 * | out         | queued to be read again, in memory, in a batch, being moved to the dead letters, or released             |
 */
import { compareEntryIds, type EntryId } from "@redis-batch/core";
import type { MessageState, Offer } from "../message.ts";

/** A message in the line of its key. */
export interface InLine {
  readonly id: EntryId;
  isParked: boolean;
  /** Whether no later message of its key may be in its batch: it has failed, or those before it in its batch have succeeded. */
  isAlone: boolean;
  /** The batch that it came back from. */
  offer: Offer | undefined;
  /** How often it has failed here with nothing of its key in front of it, and something else was acknowledged afterwards. */
  provenFailures: number;
  /** How many batches had been offered when it last failed; `null`: it has not, or that failure is among the proven ones. */
  failedAfter: number | null;
}

export interface KeyLine {
  readonly key: string;
  /** In stream order. */
  readonly waiting: InLine[];
  /** In how many open batches the key is, as far as they are counted, and the last of them that was. */
  open: number;
  counted: OpenBatch | undefined;
}

/** What has to be known of a message. Not picked from `Message`, whose published types leave some of it out. */
interface Keyed {
  readonly id: EntryId;
  readonly key: string | undefined;
  readonly state: MessageState;
  readonly hasSucceeded: boolean;
}

interface OpenBatch {
  /** How many batches were offered up to this one. */
  readonly number: number;
  readonly messages: readonly Keyed[];
  /** The lines of its keys, if they are counted: nobody needs to know them while no other batch can be offered. */
  lines: KeyLine[] | undefined;
  /** The messages before this place have an outcome. */
  done: number;
  /** The message of the same key before each; made when a message is acknowledged before an earlier one. */
  before: ReadonlyMap<EntryId, Keyed> | undefined;
}

// A key that is bad again later is found out again.
const MOST_BAD_KEYS = 10_000;

export class KeyOrder {
  readonly #lines = new Map<string, KeyLine>();
  readonly #lineOf = new Map<EntryId, KeyLine>();
  readonly #open = new Map<Offer, OpenBatch>();
  /** Keys of which a message was given up, and none was acknowledged since. */
  readonly #bad = new Set<string>();
  #uncounted = 0;
  #offered = 0;
  /** The last of the batches of which a message was acknowledged: the sink was there after this one was offered. */
  #lastProof = 0;
  #isProofWanted = false;
  #occupied = 0;

  /** How many messages are in lines. */
  get size(): number {
    return this.#lineOf.size;
  }

  /** How many messages are parked behind an earlier one, and how many keys they have. */
  get parked(): { readonly messages: number; readonly keys: number } {
    let [messages, keys] = [0, 0];
    for (const { waiting } of this.#lines.values()) {
      const behind = waiting.reduce((sum, { isParked }, place) => sum + (isParked && place > 0 ? 1 : 0), 0);
      messages += behind;
      if (behind > 0) keys++;
    }
    return { messages, keys };
  }

  /** How many of them are behind another one of their key. */
  get behindOthers(): number {
    return this.#lineOf.size - this.#occupied;
  }

  /** How many keys have a message in a line. */
  get keys(): number {
    return this.#occupied;
  }

  get lines(): Iterable<KeyLine> {
    return this.#lines.values();
  }

  lineOf(id: EntryId): KeyLine | undefined {
    return this.#lineOf.size === 0 ? undefined : this.#lineOf.get(id);
  }

  inLine(id: EntryId): InLine | undefined {
    const line = this.lineOf(id);
    return line?.waiting[placeOf(line, id)];
  }

  /** The message in front of this one in its line. */
  before(id: EntryId): InLine | undefined {
    const line = this.lineOf(id);
    return line?.waiting[placeOf(line, id) - 1];
  }

  /** The messages behind this one in its line. */
  behind(id: EntryId): readonly InLine[] {
    const line = this.lineOf(id);
    return line === undefined ? [] : line.waiting.slice(placeOf(line, id) + 1);
  }

  /** `free`: a new message of the key may be offered · `busy`: an open batch has one · `parked`: one is in front of it. */
  standing(key: string): "free" | "busy" | "parked" {
    const line = this.#lines.get(key);
    if (line === undefined) return "free";
    return line.waiting.length > 0 ? "parked" : "busy";
  }

  /** Whether new messages may not be offered as they come. Counts the keys of open batches. */
  countOpen(): boolean {
    if (this.#uncounted > 0) {
      for (const batch of this.#open.values()) {
        if (batch.lines !== undefined) continue;
        batch.lines = [];
        for (const { key } of batch.messages) {
          const line = key === undefined ? undefined : this.#line(key);
          if (line === undefined || line.counted === batch) continue;
          line.counted = batch;
          line.open++;
          batch.lines.push(line);
        }
      }
      this.#uncounted = 0;
    }
    return this.#lines.size > 0;
  }

  /** A batch was offered. */
  open(offer: Offer, messages: readonly Keyed[]): void {
    this.#open.set(offer, { number: ++this.#offered, messages, lines: undefined, done: 0, before: undefined });
    this.#uncounted++;
  }

  isOpen(offer: Offer | undefined): boolean {
    return offer !== undefined && this.#open.has(offer);
  }

  /** A batch has ended, or its handler hangs → the lines in which something may be next. */
  close(offer: Offer): ReadonlySet<KeyLine> {
    const batch = this.#open.get(offer);
    const lines = new Set<KeyLine>();
    if (batch === undefined) return lines;
    this.#open.delete(offer);
    if (batch.lines === undefined) this.#uncounted--;
    for (const line of batch.lines ?? []) {
      line.open--;
      if (line.waiting.length > 0) lines.add(line);
      else this.#dropIfEmpty(line);
    }
    // Where nobody needed its keys before.
    if (batch.lines === undefined && this.#lines.size > 0) {
      for (const { key } of batch.messages) {
        const line = key === undefined ? undefined : this.#lines.get(key);
        if (line !== undefined) lines.add(line);
      }
    }
    for (const line of lines) {
      // The first that is back is the one that failed; those after it could not succeed before it.
      let isFirst = true;
      for (const one of line.waiting) {
        if (one.offer !== offer) continue;
        one.isAlone = isFirst;
        isFirst = false;
      }
    }
    return lines;
  }

  /** Puts a message in its place in the line of its key. One that is there stays. */
  put(id: EntryId, key: string, state: { readonly isParked: boolean; readonly offer?: Offer | undefined }): KeyLine {
    const line = this.#line(key);
    const place = placeOf(line, id);
    const known = line.waiting[place];
    if (known === undefined) {
      const { isParked, offer } = state;
      if (line.waiting.length === 0) this.#occupied++;
      line.waiting.splice(~place, 0, { id, isParked, isAlone: false, offer, provenFailures: 0, failedAfter: null });
      this.#lineOf.set(id, line);
    } else {
      known.isParked = state.isParked;
      // It may be back before the batch ends that it came from.
      known.offer = state.offer ?? known.offer;
    }
    return line;
  }

  /** It has failed. What is behind another one could not succeed, so that is none. */
  noteFailure(id: EntryId): void {
    const one = this.inLine(id);
    if (one === undefined || this.before(id) !== undefined) return;
    one.provenFailures = this.provenFailuresOf(one);
    one.failedAfter = this.#offered;
  }

  /** A message is acknowledged: what failed before its batch was offered did not fail because of the sink. */
  noteSuccess({ offer, key }: Keyed & { readonly offer: Offer | undefined }): void {
    const batch = offer === undefined ? undefined : this.#open.get(offer);
    if (batch !== undefined && batch.number > this.#lastProof) {
      this.#lastProof = batch.number;
      this.#isProofWanted = false;
    }
    if (key !== undefined && this.#bad.size > 0) this.#bad.delete(key);
  }

  /** Its first message is given up, so that those behind it are done. */
  noteGivenUp({ key }: KeyLine): void {
    this.#bad.add(key);
    for (const one of this.#bad) {
      if (this.#bad.size <= MOST_BAD_KEYS) break;
      this.#bad.delete(one);
    }
  }

  /** Whether a message of the key was given up, and none was acknowledged since. */
  isBad({ key }: KeyLine): boolean {
    return this.#bad.has(key);
  }

  /**
   * Whether it says nothing about the sink if the first message of this line fails: it did so while others succeeded, or its key
   * is bad; then it is alone in its batch.
   */
  isKnownBad(line: KeyLine): boolean {
    const [first] = line.waiting;
    return this.isBad(line) || (first !== undefined && this.provenFailuresOf(first) > 0);
  }

  /** How often it failed while the sink was there. */
  provenFailuresOf({ provenFailures, failedAfter }: InLine): number {
    return provenFailures + (failedAfter !== null && failedAfter < this.#lastProof ? 1 : 0);
  }

  /**
   * Whether a message of another key should be tried, to see if the sink works: after `wantProof`, or when every message that
   * blocks others has failed. One success then proves all these failures.
   */
  get isProofWanted(): boolean {
    if (this.#isProofWanted) return true;
    let isAny = false;
    for (const line of this.#lines.values()) {
      if (line.waiting.length < 2) continue;
      if (!this.#isUnproven(line)) return false;
      isAny = true;
    }
    return isAny;
  }

  /** Those that block others and have failed are not to wait any longer for the rest of them to fail. */
  wantProof(): void {
    this.#isProofWanted = this.blocked.some((line) => this.#isUnproven(line));
  }

  /** Whether its first message has failed, and no success since tells why. */
  #isUnproven({ waiting: [first] }: KeyLine): boolean {
    return (first?.failedAfter ?? -1) >= this.#lastProof;
  }

  /** It is done, or not this consumer's any more → its line, if it was in one. */
  settle(id: EntryId): KeyLine | undefined {
    const line = this.lineOf(id);
    if (line === undefined) return undefined;
    this.#lineOf.delete(id);
    line.waiting.splice(placeOf(line, id), 1);
    if (line.waiting.length === 0) this.#occupied--;
    this.#dropIfEmpty(line);
    return line;
  }

  /** Those of a line that may be offered next, and are parked: the first, and those after it that may be in its batch. */
  *next({ waiting, open }: KeyLine): Generator<InLine> {
    if (open > 0) return;
    for (const one of waiting) {
      if (!one.isParked || this.isOpen(one.offer)) return;
      yield one;
      if (one.isAlone) return;
    }
  }

  /** An earlier message of the same key that has no outcome, if the message is acknowledged now. */
  unsettledBefore(message: Keyed & { readonly offer: Offer | undefined }): EntryId | undefined {
    const batch = message.offer === undefined ? undefined : this.#open.get(message.offer);
    if (batch === undefined) {
      const first = this.lineOf(message.id)?.waiting[0];
      return first === undefined || first.id === message.id ? undefined : first.id;
    }
    const { messages } = batch;
    while (messages[batch.done]?.hasSucceeded === true) batch.done++;
    if (messages[batch.done] === message || message.key === undefined) return undefined;
    batch.before ??= chain(messages);
    for (let one = batch.before.get(message.id); one !== undefined; one = batch.before.get(one.id)) {
      if (one.state === "offered" || one.state === "returned") return one.id;
    }
    return undefined;
  }

  /** The lines in which messages are behind another one, the longest first. */
  get blocked(): KeyLine[] {
    return [...this.#lines.values()]
      .filter(({ waiting }) => waiting.length > 1)
      .toSorted((left, right) => right.waiting.length - left.waiting.length);
  }

  #line(key: string): KeyLine {
    let line = this.#lines.get(key);
    if (line === undefined) {
      line = { key, waiting: [], open: 0, counted: undefined };
      this.#lines.set(key, line);
    }
    return line;
  }

  #dropIfEmpty(line: KeyLine): void {
    if (line.waiting.length === 0 && line.open === 0) this.#lines.delete(line.key);
  }
}

/** The message's place in the line; if it is not there, the complement of where it belongs. */
function placeOf({ waiting }: KeyLine, id: EntryId): number {
  let [from, to] = [0, waiting.length];
  const last = waiting.at(-1);
  // Most are the first, or come last.
  if (last === undefined || compareEntryIds(last.id, id) < 0) return ~to;
  while (from < to) {
    const middle = (from + to) >> 1;
    const found = waiting[middle] as InLine;
    if (found.id === id) return middle;
    if (compareEntryIds(found.id, id) < 0) from = middle + 1;
    else to = middle;
  }
  return ~from;
}

function chain(messages: readonly Keyed[]): ReadonlyMap<EntryId, Keyed> {
  const last = new Map<string, Keyed>();
  const before = new Map<EntryId, Keyed>();
  for (const message of messages) {
    if (message.key === undefined) continue;
    const one = last.get(message.key);
    if (one !== undefined) before.set(message.id, one);
    last.set(message.key, message);
  }
  return before;
}
