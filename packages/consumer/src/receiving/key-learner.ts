/**
 * Learns the keys of messages that are pending and not held here, before anything new is read (`orderBy`): what comes later
 * must wait for them. Their payloads are read for it, and not kept.
 */
import type { EntryId } from "@redis-batch/core";
import { payloadBytesOf } from "@redis-batch/core/internal/messages";
import type { Scope } from "../scope.ts";
import type { MessageBuilder } from "./message-builder.ts";

const PAGE = 1_000;
// Each one is a command.
const MOST_AT_ONCE = 100;

export class KeyLearner<Value> {
  readonly #scope: Scope<Value>;
  readonly #builder: Pick<MessageBuilder<Value>, "keyOf">;

  constructor(scope: Scope<Value>, { builder }: { readonly builder: Pick<MessageBuilder<Value>, "keyOf"> }) {
    this.#scope = scope;
    this.#builder = builder;
  }

  /** Learns all that is pending in the group, under whatever name, in stream order. */
  async learnGroup(): Promise<void> {
    const { client, policy } = this.#scope;
    const { stream, group } = policy;
    let from = "-";
    for (;;) {
      const page = await client.xpendingRange({ stream, group, from, to: "+", count: PAGE });
      await this.learn(page.map(({ id }) => id));
      const last: EntryId | undefined = page.at(-1)?.id;
      if (page.length < PAGE || last === undefined) return;
      from = `(${last}`;
    }
  }

  /** Learns the keys of these messages, in stream order. Those that were deleted or have no key hold up no other. */
  async learn(ids: readonly EntryId[]): Promise<void> {
    const { client, policy, held, order, replySize } = this.#scope;
    if (order === undefined) return;
    const unknown = ids.filter((id) => order.lineOf(id) === undefined && !held.holds(id));
    for (let start = 0, atOnce = 1; start < unknown.length; start += atOnce, atOnce = this.#nextAtOnce(atOnce)) {
      const some = unknown.slice(start, start + atOnce);
      const found = await Promise.all(
        some.map((id) => client.xrange({ stream: policy.stream, from: id, to: id, count: 1 })),
      );
      const entries = found.flat();
      replySize.arrived(
        entries.length,
        entries.reduce((bytes, entry) => bytes + payloadBytesOf(entry), 0),
      );
      for (const entry of entries) {
        const key = this.#builder.keyOf(entry);
        if (key !== undefined && !held.holds(entry.id)) held.learn(entry.id, key);
      }
    }
  }

  /** How many payloads are read at the same time: as many as fit into memory, by the size of those before. */
  #nextAtOnce(before: number): number {
    const { policy, replySize } = this.#scope;
    const fitting = Math.floor(policy.maxBytes / Math.max(replySize.meanBytes, 1));
    return Math.max(1, Math.min(2 * before, fitting, replySize.limit, MOST_AT_ONCE));
  }
}
