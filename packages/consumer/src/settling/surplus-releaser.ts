/** Gives back, each second, what this consumer holds and cannot work on soon, while somebody else can. */
import type { Clock } from "@redis-batch/core/internal";
import { decideSurplus, type Load, patienceOf, type Surplus } from "../decisions/surplus.ts";
import type { Peers, PeerView } from "../liveness/peers.ts";
import type { SecondOpinions } from "../liveness/second-opinions.ts";
import type { Message } from "../message.ts";
import type { Deferred } from "../scheduling/deferred-queue.ts";
import type { HeldMessages } from "../scheduling/held-messages.ts";
import type { Releaser } from "./releaser.ts";

const LOOK_EVERY_MS = 1_000;

export interface SurplusReleaserContext<Value> {
  readonly policy: { readonly maxWaitMs: number };
  readonly held: HeldMessages<Value>;
  readonly releaser: Releaser<Value>;
  readonly peers: Peers;
  readonly secondOpinions: SecondOpinions;
  readonly clock: Clock;
  readonly load: () => Load;
  /** Called when messages were released that were never offered here. */
  readonly onReleasedUnoffered: () => void;
}

export class SurplusReleaser<Value> {
  readonly #context: SurplusReleaserContext<Value>;
  #cancelTimer = (): void => {};
  #isStopped = false;

  constructor(context: SurplusReleaserContext<Value>) {
    this.#context = context;
  }

  start(): void {
    this.#cancelTimer = this.#context.clock.setTimer(LOOK_EVERY_MS, () => {
      void this.look();
      if (!this.#isStopped) this.start();
    });
  }

  stop(): void {
    this.#isStopped = true;
    this.#cancelTimer();
  }

  /** Gives back at once all that no handler will be found for, because this consumer stops. */
  drain(): void {
    this.stop();
    this.#release(this.#decide());
  }

  /** Something changed that may leave this consumer with more than it can work on. */
  async look(): Promise<void> {
    if (this.#isStopped) return;
    const before = this.#decide();
    if (before.kind === "nothing" || !this.#hasAny()) return;
    if (before.for !== "nobody" && !isThere(before, await this.#context.peers.look())) return;
    // Meanwhile it may have found a place.
    const surplus = this.#decide();
    if (surplus.kind === before.kind && !this.#isStopped) this.#release(surplus);
  }

  #decide(): Surplus {
    const { load, policy } = this.#context;
    return decideSurplus(load(), patienceOf(policy.maxWaitMs));
  }

  #hasAny(): boolean {
    const { held } = this.#context;
    return held.fresh.messages + held.due.messages + held.deferredCount > 0;
  }

  #release(surplus: Surplus): void {
    if (surplus.kind === "nothing") return;
    const { held, releaser, clock, policy, onReleasedUnoffered } = this.#context;
    const sinceMs = surplus.kind === "waited" ? clock.nowMs() - patienceOf(policy.maxWaitMs) : Number.POSITIVE_INFINITY;
    const waiting = held.waitingSince(sinceMs);
    const all = [...waiting.due, ...(surplus.kind === "waited" ? [] : held.allDeferred()), ...waiting.fresh];
    if (all.length === 0) return;
    this.#context.secondOpinions.remember(
      all.filter(hasFailedHere).map(({ id }) => id),
      "failed",
    );
    for (const one of all) {
      if ("dueAtMs" in one) releaser.releaseDeferred(one, surplus.why);
      else releaser.release(one, surplus.why, { isUncounted: true });
    }
    onReleasedUnoffered();
  }
}

function isThere(surplus: Surplus & { readonly kind: "all" | "waited" }, peers: PeerView): boolean {
  return surplus.for === "a free place" ? peers.isAnyFree : peers.isAnyAlive;
}

/** Whether it failed in this process: another one's success with it says something. */
function hasFailedHere<Value>(one: Message<Value> | Deferred): boolean {
  return "dueAtMs" in one && one.hasFailedHere;
}
