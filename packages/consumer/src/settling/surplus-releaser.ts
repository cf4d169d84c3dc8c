/** Each second, releases messages that this consumer holds and cannot work on soon, if another consumer can. */

import { Loop } from "@redis-batch/core/internal/service";
import { decideSurplus, patienceOf, type Surplus } from "../decisions/surplus.ts";
import type { Peers, PeerView } from "../liveness/peers.ts";
import type { Message } from "../message.ts";
import type { Claimer } from "../receiving/claimer.ts";
import type { Deferred } from "../scheduling/deferred-queue.ts";
import type { IntakeControl } from "../scheduling/intake-control.ts";
import type { Scope } from "../scope.ts";
import type { Releaser } from "./releaser.ts";
import type { SecondOpinions } from "./second-opinions.ts";

const LOOK_EVERY_MS = 1_000;

export interface SurplusParts<Value> {
  readonly intake: Pick<IntakeControl, "load">;
  readonly releaser: Releaser<Value>;
  readonly claimer: Pick<Claimer<Value>, "releasedUnoffered">;
  readonly peers: Peers;
  readonly secondOpinions: SecondOpinions;
}

export class SurplusReleaser<Value> {
  readonly #scope: Scope<Value>;
  readonly #parts: SurplusParts<Value>;
  readonly #loop: Loop;

  constructor(scope: Scope<Value>, parts: SurplusParts<Value>) {
    this.#scope = scope;
    this.#parts = parts;
    this.#loop = new Loop(scope.clock, {
      pass: async () => {
        await this.look();
        return LOOK_EVERY_MS;
      },
    });
    const { paceChanged, placesChanged } = scope.signals;
    for (const signal of [paceChanged, placesChanged]) signal.listen(() => void this.look());
  }

  start(): void {
    this.#loop.start(LOOK_EVERY_MS);
  }

  stop(): void {
    void this.#loop.stop();
  }

  /** Releases at once all messages that no handler will get, because this consumer stops. */
  drain(): void {
    this.stop();
    this.#release(this.#decide());
  }

  /** Checks whether this consumer holds more than it can work on, and releases it. */
  async look(): Promise<void> {
    // Where no other consumer may be, nobody would take it before this one.
    if (this.#loop.isStopped || this.#scope.policy.isOnlyReader) return;
    const before = this.#decide();
    if (before.kind === "nothing" || !this.#hasAny()) return;
    if (before.for !== "nobody" && !isThere(before, await this.#parts.peers.look())) return;
    // In the meantime a place may have become free.
    const surplus = this.#decide();
    if (surplus.kind === before.kind && !this.#loop.isStopped) this.#release(surplus);
  }

  #decide(): Surplus {
    const { policy } = this.#scope;
    return decideSurplus(this.#parts.intake.load(), patienceOf(policy.maxWaitMs));
  }

  #hasAny(): boolean {
    const { held } = this.#scope;
    return held.fresh.messages + held.due.messages + held.deferredCount > 0;
  }

  #release(surplus: Surplus): void {
    if (surplus.kind === "nothing") return;
    const { held, clock, policy } = this.#scope;
    const { releaser, claimer } = this.#parts;
    const sinceMs = surplus.kind === "waited" ? clock.nowMs() - patienceOf(policy.maxWaitMs) : Number.POSITIVE_INFINITY;
    const waiting = held.waitingSince(sinceMs);
    const all = [...waiting.due, ...(surplus.kind === "waited" ? [] : held.allDeferred()), ...waiting.fresh];
    if (all.length === 0) return;
    this.#parts.secondOpinions.remember(
      all.filter(hasFailedHere).map(({ id }) => id),
      "failed",
    );
    for (const one of all) {
      if ("dueAtMs" in one) releaser.releaseDeferred(one, surplus.why);
      else releaser.release(one, surplus.why, { isUncounted: true });
    }
    claimer.releasedUnoffered();
  }
}

function isThere(surplus: Surplus & { readonly kind: "all" | "waited" }, peers: PeerView): boolean {
  return surplus.for === "a free place" ? peers.isAnyFree : peers.isAnyAlive;
}

/** Whether it failed in this process, so that success elsewhere would mean something. */
function hasFailedHere<Value>(one: Message<Value> | Deferred): boolean {
  return "dueAtMs" in one && one.hasFailedHere;
}
