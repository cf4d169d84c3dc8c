/**
 * With `orderBy`: checks each second whether keys still wait for something. A message that was released here may have been
 * finished elsewhere. When waiting messages leave no room to read new ones, gives up the first message of the longest line once it
 * has failed three times.
 */
import { compareEntryIds, type EntryId, NoGroupError, RedisBatchError } from "@redis-batch/core";
import { toErrorInfo } from "@redis-batch/core/internal/errors";
import { isReservedConsumer, LATER, RELEASED } from "@redis-batch/core/internal/names";
import { Loop } from "@redis-batch/core/internal/service";
import type { KeyOrder } from "../scheduling/key-order.ts";
import type { Scope } from "../scope.ts";
import type { DeadLetterWriter } from "./dead-letter-writer.ts";

const LOOK_EVERY_MS = 1_000;
const PAGE = 1_000;

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

  /** While nothing new can be read: gives up the first message of the longest line, or has it tried again at once. */
  async #unblock(): Promise<void> {
    const { order, held, policy, client, signals } = this.#scope;
    if (order === undefined || order.size < policy.maxDeferred) return;
    const id = order.longest?.waiting[0]?.id;
    if (id === undefined) return;
    const deferred = held.deferredOf(id);
    if (deferred !== undefined) {
      if (!mayGiveUp(order, { id, failures: order.failuresOf(id) }, policy.maxDeferred)) return;
      if (held.letGoOfDeferred(deferred) === undefined) return;
      order.hasSucceeded = false;
      this.#deadLetterWriter.add({ id, message: undefined, why: "blocks-key", text: "" });
    } else if (!held.holds(id)) {
      // Its time is not awaited: it may be a day away.
      const { stream, group } = policy;
      const move = { stream, group, from: LATER, to: RELEASED, offered: [id], neverOffered: [] };
      if ((await client.release(move)).moved > 0) signals.releasedFound.raise();
    }
  }

  /** Compares a page of what is pending in the group with what is in lines and not held here. */
  async #compare(): Promise<void> {
    const { client, policy, held } = this.#scope;
    const { stream, group, name, isAlone } = policy;
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
    for (const id of away) {
      if (last !== null && compareEntryIds(id, last) > 0) continue;
      const owner = owners.get(id);
      const isOthers = !isAlone && owner !== undefined && owner !== name && !isReservedConsumer(owner);
      if (owner === undefined || isOthers) held.unlearn(id);
    }
  }

  #letGoOfAll(): void {
    const { held } = this.#scope;
    for (const id of held.unheldInLines()) held.unlearn(id);
  }
}

/**
 * Whether the message is given up: it has failed three times, and the messages behind it leave no room to read new ones. The
 * delivery count does not tell: it also rises when a message before it failed, its process died, or the sink was down.
 */
export function mayGiveUp(
  order: KeyOrder,
  { id, failures }: { readonly id: EntryId; readonly failures: number },
  maxDeferred: number,
): boolean {
  if (order.size < maxDeferred || failures < 3 || !order.hasSucceeded) return false;
  return order.longest?.waiting[0]?.id === id;
}
