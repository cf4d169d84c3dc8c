/**
 * With `orderBy`: checks each second whether keys still wait for something. A message that was released here may have been
 * finished elsewhere. While many messages wait behind others, gives up the first ones that fail.
 */
import { compareEntryIds, type EntryId, NoGroupError, RedisBatchError } from "@redis-batch/core";
import { toErrorInfo } from "@redis-batch/core/internal/errors";
import { isReservedConsumer, LATER, RELEASED } from "@redis-batch/core/internal/names";
import { Loop } from "@redis-batch/core/internal/service";
import { decideRoomInLines, type FirstOfLine, mayGiveUp } from "../decisions/blocked-keys.ts";
import type { KeyLine, KeyOrder } from "../scheduling/key-order.ts";
import type { Scope } from "../scope.ts";
import type { DeadLetterWriter } from "./dead-letter-writer.ts";

const LOOK_EVERY_MS = 1_000;
const PAGE = 1_000;
/** How many deferred messages are looked up in the stream with each look. */
const LOOK_UPS = 20;

export class KeyWatch<Value> {
  readonly #scope: Scope<Value>;
  readonly #deadLetterWriter: DeadLetterWriter<Value>;
  readonly #loop: Loop;
  /** How far the group's pending list was compared; `null`: the next look begins at its beginning. */
  #cursor: EntryId | null = null;

  constructor(scope: Scope<Value>, { deadLetterWriter }: { readonly deadLetterWriter: DeadLetterWriter<Value> }) {
    this.#scope = scope;
    this.#deadLetterWriter = deadLetterWriter;
    this.#loop = new Loop(scope.clock, {
      pass: async () => {
        scope.held.parkAside(scope.clock.nowMs() - LOOK_EVERY_MS);
        await this.#unblock();
        await this.#compare();
        return LOOK_EVERY_MS;
      },
      onError: (error) => {
        if (!RedisBatchError.is(error)) throw error;
        // The reader recreates a deleted group, in which nothing is pending.
        if (NoGroupError.is(error)) this.#letGoOfAll();
        else scope.report({ type: "recoveryFailed", error: toErrorInfo(error) });
        return LOOK_EVERY_MS;
      },
    });
  }

  start(): void {
    if (this.#scope.order !== undefined) this.#loop.start(LOOK_EVERY_MS);
  }

  stop(): Promise<void> {
    return this.#loop.stop();
  }

  /** While many messages wait behind others: gives up those that fail, the first of the longest lines first. */
  async #unblock(): Promise<void> {
    const { order, policy } = this.#scope;
    if (order === undefined || decideRoomInLines(order, policy.maxDeferred) === "open") return;
    const [longest, ...others] = order.blocked;
    let most = order.behindOthers - policy.maxDeferred + 1;
    for (const line of longest === undefined ? [] : [longest, ...others]) {
      if (most <= 0) break;
      if (this.#giveUp(order, line)) most--;
    }
    if (longest?.waiting[0] !== undefined) await this.#tryAtOnce(longest.waiting[0].id);
    order.wantProof();
    this.#scope.signals.roomChanged.raise();
  }

  /** Gives up the first message of a line, if it fails and is in no batch → whether it did. */
  #giveUp(order: KeyOrder, line: KeyLine): boolean {
    const { held, policy } = this.#scope;
    const first = line.waiting[0];
    const deferred = first && held.deferredOf(first.id);
    if (first === undefined || deferred === undefined) return false;
    if (!mayGiveUp(factsOf(order, line), order, policy.maxDeferred)) return false;
    if (held.letGoOfDeferred(deferred) === undefined) return false;
    order.noteGivenUp(line);
    this.#deadLetterWriter.add({ id: first.id, message: undefined, why: "blocks-key", text: "" });
    return true;
  }

  /** If the message waits in Redis for its time, it is tried at once: that may be a day away. */
  async #tryAtOnce(id: EntryId): Promise<void> {
    const { held, policy, client, signals } = this.#scope;
    if (held.holds(id)) return;
    const { stream, group } = policy;
    const move = { stream, group, from: LATER, to: RELEASED, offered: [id], neverOffered: [] };
    if ((await client.release(move)).moved > 0) signals.releasedFound.raise();
  }

  /** Compares a page of what is pending in the group with what is in lines and not held here. */
  async #compare(): Promise<void> {
    const { client, policy, held } = this.#scope;
    const { stream, group, name, isOnlyReader } = policy;
    const after = this.#cursor;
    const away = held.unheldInLines().filter((id) => after === null || compareEntryIds(id, after) > 0);
    if (away.length === 0) {
      this.#cursor = null;
      return;
    }
    const from = after === null ? "-" : (`(${after}` as const);
    const page = await client.xpendingRange({ stream, group, from, to: "+", count: PAGE });
    const owners = new Map(page.map(({ id, consumer }) => [id, consumer]));
    const last = page.length < PAGE ? null : (page.at(-1)?.id ?? null);
    this.#cursor = last;
    const later: EntryId[] = [];
    for (const id of away) {
      if (last !== null && compareEntryIds(id, last) > 0) continue;
      const owner = owners.get(id);
      const isOthers = !isOnlyReader && owner !== undefined && owner !== name && !isReservedConsumer(owner);
      if (owner === undefined || isOthers) held.unlearn(id);
      else if (owner === LATER) later.push(id);
    }
    await this.#endDelays(later);
  }

  /** Messages that were deleted from the stream while they are deferred: nobody has to wait for their time. */
  async #endDelays(ids: readonly EntryId[]): Promise<void> {
    const { client, policy, random } = this.#scope;
    const { stream } = policy;
    // Others have their turn with another look.
    const first = Math.floor(random() * Math.max(1, ids.length - LOOK_UPS + 1));
    for (const id of ids.slice(first, first + LOOK_UPS)) {
      const [entry] = await client.xrange({ stream, from: id, to: id, count: 1 });
      if (entry === undefined) await this.#tryAtOnce(id);
    }
  }

  #letGoOfAll(): void {
    const { held } = this.#scope;
    for (const id of held.unheldInLines()) held.unlearn(id);
  }
}

/** What `mayGiveUp` has to know of the first message of a line. */
export function factsOf(order: KeyOrder, line: KeyLine): FirstOfLine {
  const [first, second] = line.waiting;
  return {
    isBlocking: second !== undefined,
    provenFailures: first === undefined ? 0 : order.provenFailuresOf(first),
    isKeyBad: order.isBad(line),
  };
}
