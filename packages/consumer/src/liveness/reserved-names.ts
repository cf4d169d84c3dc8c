/**
 * Keeps the two reserved names alive: touches them with each heartbeat, so that scripts which delete idle consumers leave them
 * alone. If somebody removes `rb:later` all the same, reports which messages were lost with it.
 */

import { type EntryId, PermissionError } from "@redis-batch/core";
import type { DueTime } from "@redis-batch/core/internal/messages";
import { LATER, RELEASED } from "@redis-batch/core/internal/names";
import { longestDelayMs } from "../decisions/redelivery.ts";
import type { Scope } from "../scope.ts";
import { stillPending } from "../settling/still-pending.ts";

const DUE_PER_PAGE = 1_000;
// Each one is a command.
const LOOKED_AT_ONCE = 100;

export class ReservedNames {
  readonly #scope: Scope;
  readonly #group: { readonly stream: string; readonly group: string };
  /** Whether `rb:later` existed before, so that its absence means a removal. */
  #hasSeenLater = false;
  /** Whether this user may create a name. The answer tells whether it existed. */
  #mayCreate = true;

  constructor(scope: Scope) {
    this.#scope = scope;
    const { stream, group } = scope.policy;
    this.#group = { stream, group };
  }

  /** The group is gone, and its names with it. That is no removal. */
  forget(): void {
    this.#hasSeenLater = false;
  }

  /** @param names those under which something is pending */
  async keep(names: Pick<ReadonlySet<string>, "has">): Promise<void> {
    const { client } = this.#scope;
    const wasSeen = this.#hasSeenLater;
    this.#hasSeenLater ||= names.has(LATER);
    // Only one consumer learns that the name was missing: the one that recreates it.
    if (wasSeen && (await this.#createLater())) await this.#tellWhatWasLost();
    if (this.#hasSeenLater) await client.touchConsumer({ ...this.#group, consumer: LATER });
    if (names.has(RELEASED)) await client.touchConsumer({ ...this.#group, consumer: RELEASED });
  }

  async #createLater(): Promise<boolean> {
    if (!this.#mayCreate) return false;
    try {
      return await this.#scope.client.xgroupCreateConsumer({ ...this.#group, consumer: LATER });
    } catch (error) {
      if (!PermissionError.is(error)) throw error;
      this.#mayCreate = false;
      return false;
    }
  }

  /** A message with a time that is pending for nobody was deferred, unless another client has acknowledged it since. */
  async #tellWhatWasLost(): Promise<void> {
    const { client, report } = this.#scope;
    const lost: DueTime[] = [];
    const known = await this.#readTimes();
    for (let start = 0; start < known.length; start += LOOKED_AT_ONCE) {
      const page = known.slice(start, start + LOOKED_AT_ONCE);
      const pending = await stillPending(
        client,
        this.#group,
        page.map(({ id }) => id),
      );
      lost.push(...page.filter(({ id }) => !pending.has(id)));
    }
    if (lost.length === 0) return;
    const ids: readonly EntryId[] = lost.map(({ id }) => id);
    report({ type: "laterLost", ids });
    for (let start = 0; start < lost.length; start += DUE_PER_PAGE) {
      await client.forgetDue({ ...this.#group, due: lost.slice(start, start + DUE_PER_PAGE) });
    }
  }

  async #readTimes(): Promise<readonly DueTime[]> {
    const { client, policy } = this.#scope;
    const times: DueTime[] = [];
    for (;;) {
      // Twice as far as any time should be, because a clock may have jumped.
      const ahead = { ...this.#group, limit: DUE_PER_PAGE, skip: times.length, withinMs: 2 * longestDelayMs(policy) };
      const { due } = await client.readDue(ahead);
      times.push(...due);
      if (due.length < DUE_PER_PAGE) return times;
    }
  }
}
