/**
 * Releases deferred messages when they are due by the server's clock. Every consumer looks each second, so a delay does not
 * depend on any one of them. Any consumer with a free place claims what was released.
 */

import { NoGroupError, PermissionError, RedisBatchError } from "@redis-batch/core";
import { toErrorInfo } from "@redis-batch/core/internal/errors";
import { LATER, RELEASED } from "@redis-batch/core/internal/names";
import { Loop } from "@redis-batch/core/internal/service";
import type { Scope } from "../scope.ts";
import type { Releaser } from "../settling/releaser.ts";

const PAGE = 1_000;
// A consumer that defers a message first writes down its time and then moves it, usually one round trip later.
const MOVED_WITHIN_MS = 3_000;

export class DueReleaser {
  readonly #scope: Scope;
  readonly #releaser: Pick<Releaser<unknown>, "canDefer" | "keepDelaysHere">;
  readonly #loop: Loop;

  constructor(
    scope: Scope,
    { releaser }: { readonly releaser: Pick<Releaser<unknown>, "canDefer" | "keepDelaysHere"> },
  ) {
    this.#scope = scope;
    this.#releaser = releaser;
    this.#loop = new Loop(scope.clock, {
      pass: async () => {
        const isMore = this.#releaser.canDefer && (await this.#releaseDue());
        return isMore ? 0 : this.#scope.lookTimes.nextInMs;
      },
      onError: (error) => this.#onError(error),
    });
  }

  start(): void {
    this.#loop.start(this.#scope.lookTimes.nextInMs);
  }

  stop(): Promise<void> {
    return this.#loop.stop();
  }

  #onError(error: unknown): number {
    if (!RedisBatchError.is(error)) throw error;
    // It would be refused again, and the server would log it each time.
    if (PermissionError.is(error)) this.#releaser.keepDelaysHere(error);
    else if (!NoGroupError.is(error)) this.#scope.report({ type: "recoveryFailed", error: toErrorInfo(error) });
    return this.#scope.lookTimes.nextInMs;
  }

  /** Releases one page → whether there is more. */
  async #releaseDue(): Promise<boolean> {
    const { client, policy, report, signals } = this.#scope;
    const { stream, group } = policy;
    const { due } = await client.readDue({ ...{ stream, group }, limit: PAGE });
    if (due.length === 0) return false;
    const ids = due.map(({ id }) => id);
    const { moved, trimmed } = await client.release({
      ...{ stream, group },
      from: LATER,
      to: RELEASED,
      offered: ids,
      neverOffered: [],
    });
    const areAllThere = moved + trimmed.length >= due.length;
    const overSinceMs = areAllThere ? Number.POSITIVE_INFINITY : (await client.time()) - MOVED_WITHIN_MS;
    // Last: if this process ends before, another consumer finds the message.
    await client.forgetDue({ ...{ stream, group }, due: due.filter(({ atMs }) => atMs <= overSinceMs) });
    if (trimmed.length > 0) report({ type: "pendingTrimmed", ids: trimmed });
    if (moved > 0) {
      report({ type: "released", messages: moved, why: "due" });
      signals.releasedFound.raise();
    }
    return due.length >= PAGE && areAllThere;
  }
}
