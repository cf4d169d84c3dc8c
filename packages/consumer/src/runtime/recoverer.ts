/**
 * Takes over what dead consumers left behind, page by page, and removes their names. One consumer of the group at a
 * time does it; that is for economy, each page is safe by itself.
 */
import {
  type Clock,
  type EntryId,
  groupKey,
  pendingPages,
  type Random,
  RELEASED,
  RedisBatchError,
  type Registration,
  type StreamClient,
} from "@redis-batch/core/internal";
import { type Acquaintances, classifyOwner, mayRecover, rememberNames, type Steadiness } from "../decisions/reclaim.ts";
import type { ConsumerEvent } from "../events.ts";
import { Bell } from "./bell.ts";
import type { Custody } from "./custody.ts";
import { describeTrouble, isFullServer } from "./trouble.ts";

// Small pages: ids only, a few milliseconds at the server each.
const PAGE = 100;

export interface RecovererContext<Value> {
  readonly policy: {
    readonly stream: string;
    readonly group: string;
    readonly name: string;
    readonly leaseMs: number;
    readonly recoverEveryMs: number;
    readonly foreignIdleMs: number;
    readonly maxDeferred: number;
  };
  readonly client: StreamClient;
  readonly custody: Custody<Value>;
  readonly clock: Clock;
  readonly random: Random;
  readonly report: (event: ConsumerEvent) => void;
  /** How steady this consumer itself is. */
  readonly steadiness: () => Steadiness;
  /** Called with each message that was taken over, and how often it had been delivered. */
  readonly onTaken: (id: EntryId, deliveries: number) => void;
}

export class Recoverer<Value> {
  readonly #context: RecovererContext<Value>;
  readonly #bell: Bell;
  #acquaintances: Acquaintances = new Map();
  #isStopped = false;
  #loop: Promise<void> | undefined;

  constructor(context: RecovererContext<Value>) {
    this.#context = context;
    this.#bell = new Bell(context.clock);
  }

  start(): void {
    this.#loop ??= this.#run();
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#bell.ring();
    await this.#loop;
  }

  async #run(): Promise<void> {
    const { policy, random, steadiness } = this.#context;
    // What was released has no owner whose lease would have to be waited for.
    await this.#attempt(() => this.#takeOver(RELEASED));
    while (!this.#isStopped) {
      // Spread, so that the consumers of a group do not all ask at the same moment.
      await this.#bell.rest(policy.recoverEveryMs * (0.75 + 0.5 * random()));
      if (this.#isStopped || !mayRecover(steadiness(), policy.leaseMs)) continue;
      await this.#attempt(async () => {
        if (await this.#isMyTurn()) await this.#recover();
      });
    }
  }

  async #attempt(run: () => Promise<void>): Promise<void> {
    try {
      await run();
    } catch (error) {
      // Whatever it was, it did no harm, and the next round is soon.
      if (!RedisBatchError.is(error)) throw error;
      if (!this.#isStopped) this.#context.report({ type: "recoveryFailed", error: describeTrouble(error) });
    }
  }

  async #isMyTurn(): Promise<boolean> {
    const { client, policy } = this.#context;
    const key = groupKey("lease:recovery", policy.stream, policy.group);
    try {
      return await client.setIfFree({ key, value: policy.name, expireMs: Math.ceil(policy.recoverEveryMs / 2) });
    } catch (error) {
      // It has no room for a turn, and needs to be emptied all the more.
      if (isFullServer(error)) return true;
      throw error;
    }
  }

  async #recover(): Promise<void> {
    const { client, policy, clock } = this.#context;
    const { stream, group, name, foreignIdleMs } = policy;
    const { consumers } = await client.xpendingSummary({ stream, group });
    const registry = await client.registry({ stream, group });
    const serverNowMs = await client.time();
    this.#acquaintances = rememberNames(this.#acquaintances, registry.keys(), clock.nowMs(), foreignIdleMs);
    for (const owner of consumers.keys()) {
      const state = classifyOwner(registry.get(owner), serverNowMs);
      if (owner === name || state === "alive") continue;
      await this.#takeOver(owner);
      if (state === "foreign" && this.#acquaintances.has(owner)) await this.#removeName(owner);
    }
    await this.#removeDeadNames(registry, serverNowMs);
  }

  async #takeOver(owner: string): Promise<void> {
    const { client, policy, report } = this.#context;
    const { stream, group, name, leaseMs } = policy;
    // One of ours renews what it holds every third of a lease, registered or not. What was released is anybody's.
    const knownIdleMs = this.#acquaintances.has(owner) ? Math.min(leaseMs, policy.foreignIdleMs) : policy.foreignIdleMs;
    const foreignIdleMs = owner === RELEASED ? 0 : knownIdleMs;
    let taken = 0;
    for await (const page of pendingPages(client, { stream, group, consumer: owner, pageSize: PAGE })) {
      if (this.#isStopped || !this.#hasRoom()) break;
      const ids = page.map(({ id }) => id);
      const to = { from: owner, to: name, foreignIdleMs, toUnregistered: false };
      const handOver = await client.handOver({ stream, group, ids, ...to });
      if (handOver.kind === "refused") break;
      const deliveries = new Map(page.map((entry) => [entry.id, entry.deliveries]));
      for (const id of handOver.ids) this.#context.onTaken(id, deliveries.get(id) ?? 1);
      taken += handOver.ids.length;
    }
    if (taken > 0) report({ type: "takenOver", from: owner, messages: taken });
  }

  // Others' messages are payloads to come: they are put off like own ones, within the same bound.
  #hasRoom(): boolean {
    const { custody, policy } = this.#context;
    return custody.deferred + PAGE <= Math.max(policy.maxDeferred, PAGE);
  }

  async #removeDeadNames(registry: ReadonlyMap<string, Registration>, serverNowMs: number): Promise<void> {
    for (const [consumer, registered] of registry) {
      if (this.#isStopped || classifyOwner(registered, serverNowMs) !== "dead") continue;
      await this.#removeName(consumer);
    }
  }

  async #removeName(consumer: string): Promise<void> {
    const { client, policy, report } = this.#context;
    const { stream, group } = policy;
    const removal = await client.removeIfEmpty({ stream, group, consumer, onlyIfSilent: true });
    if (removal === "removed") report({ type: "nameRemoved", consumer });
  }
}
