/** Knows whether other consumers of the group are alive, and have a free place. Asks the server at most once a second. */

import { RedisBatchError } from "@redis-batch/core";
import { isAlive, type Registration } from "@redis-batch/core/internal/groups";
import type { Scope } from "../scope.ts";

// Asked again within this time, it gives the same answer.
const FRESH_MS = 1_000;

export interface PeerView {
  /** Whether another consumer of the group is alive and not draining. */
  readonly isAnyAlive: boolean;
  /** Whether another one has a free handler. */
  readonly isAnyFree: boolean;
}

const NOBODY: PeerView = { isAnyAlive: false, isAnyFree: false };

export class Peers {
  readonly #scope: Scope;
  #view = NOBODY;
  #askedAtMs = Number.NEGATIVE_INFINITY;
  #asking: Promise<PeerView> | undefined;

  constructor(scope: Scope) {
    this.#scope = scope;
  }

  /** What was seen last. */
  get lastSeen(): PeerView {
    return this.#view;
  }

  /** Asks the server, unless it did so just now. If the server cannot be asked, no other consumer is known to be alive. */
  look(): Promise<PeerView> {
    return this.ask().catch((error: unknown) => {
      if (!RedisBatchError.is(error)) throw error;
      return NOBODY;
    });
  }

  /**
   * The same, for those who must not take silence for an answer.
   *
   * @throws a retryable error when the server cannot be asked now. Where it never can, no other consumer is known to be alive
   */
  ask(): Promise<PeerView> {
    if (this.#scope.clock.nowMs() - this.#askedAtMs < FRESH_MS) return Promise.resolve(this.#view);
    this.#asking ??= this.#ask().finally(() => {
      this.#asking = undefined;
    });
    return this.#asking;
  }

  /** Takes in a registry that was read for another purpose. */
  see(registry: ReadonlyMap<string, Registration>, serverNowMs: number): PeerView {
    const others = [...registry.values()].filter((one) => this.#isPeer(one, serverNowMs));
    this.#askedAtMs = this.#scope.clock.nowMs();
    this.#view = {
      isAnyAlive: others.length > 0,
      isAnyFree: others.some(({ details }) => (details.freePlaces ?? 0) > 0 && details.isUnfit !== true),
    };
    return this.#view;
  }

  async #ask(): Promise<PeerView> {
    const { client, policy } = this.#scope;
    try {
      const registry = await client.registry({ stream: policy.stream, group: policy.group });
      return this.see(registry, await client.time());
    } catch (error) {
      if (!RedisBatchError.is(error) || error.retryable) throw error;
      return NOBODY;
    }
  }

  /** Whether it is another consumer that claims released messages: older versions do not, and do not report free places. */
  #isPeer(registered: Registration, serverNowMs: number): boolean {
    const { consumer, details } = registered;
    const takes = details.state === "running" && details.freePlaces !== null;
    return consumer !== this.#scope.policy.name && takes && isAlive(registered, serverNowMs);
  }
}
