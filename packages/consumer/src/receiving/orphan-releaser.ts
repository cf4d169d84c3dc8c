/**
 * Releases what dead consumers left behind, page by page, and removes their names. One consumer of the group does this at a
 * time, to save work: each page is safe by itself. Any consumer with a free place claims what was released.
 */
import { type EntryId, PermissionError, RedisBatchError } from "@redis-batch/core";
import { toErrorInfo } from "@redis-batch/core/internal/errors";
import {
  followHeartbeats,
  type HeartbeatVerdict,
  NO_HEARTBEATS,
  type Registration,
} from "@redis-batch/core/internal/groups";
import { groupKey, isReservedConsumer, LATER, RELEASED } from "@redis-batch/core/internal/names";
import { Loop } from "@redis-batch/core/internal/service";
import { decideLeastIdle, mayRecover, type RecentlySeen, rememberNames, type Stability } from "../decisions/reclaim.ts";
import { longestDelayMs } from "../decisions/redelivery.ts";
import { isFullServer } from "../full-server.ts";
import type { ConnectionWatch } from "../liveness/connection-watch.ts";
import type { LeaseRenewer } from "../liveness/lease-renewer.ts";
import type { Peers } from "../liveness/peers.ts";
import type { Scope } from "../scope.ts";

// Small pages: ids only, a few milliseconds at the server each.
const PAGE = 100;
// The messages of a foreign consumer are checked one by one, and mostly it is alive: only some pages per round.
const STRANGER_PAGES_A_ROUND = 20;
// Deferred messages only have to be checked now and then: some pages per round.
const LATER_PAGES_A_ROUND = 10;
const LATER_PAGE = 1_000;
// A turn ends by the server's clock. If that clock was set back, an unused turn may last for hours.
const MOST_REFUSALS = 3;
// The messages of foreign consumers, and deferred ones, are only checked: that can wait longer.
const MOST_REFUSALS_TO_LOOK = 30;

export interface OrphanReleaserParts {
  readonly peers: Peers;
  readonly connection: Pick<ConnectionWatch, "connectedSinceMs">;
  readonly leases: Pick<LeaseRenewer<unknown>, "isCertain">;
}

/** A consumer whose messages may be released; `seenAtMs` is the heartbeat that did not change while it was watched. */
interface DeadOwner {
  readonly consumer: string;
  readonly seenAtMs: number | null;
}

export class OrphanReleaser {
  readonly #scope: Scope;
  readonly #parts: OrphanReleaserParts;
  readonly #loop: Loop;
  #recentlySeen: RecentlySeen = new Map();
  #watch = NO_HEARTBEATS;
  #laterCursor: EntryId | null = null;
  /** How far the pending list of each foreign consumer was checked. */
  #strangers: ReadonlyMap<string, EntryId> = new Map();
  /** How often in a row it was another consumer's turn although there was something to do. */
  #refusals = 0;

  constructor(scope: Scope, parts: OrphanReleaserParts) {
    this.#scope = scope;
    this.#parts = parts;
    this.#loop = new Loop(scope.clock, {
      pass: () => this.#pass(),
      onError: (error) => {
        // It did no harm, and the next round comes soon.
        if (!RedisBatchError.is(error)) throw error;
        scope.report({ type: "recoveryFailed", error: toErrorInfo(error) });
        return this.#lookInMs();
      },
    });
  }

  start(): void {
    // The first look only notes the heartbeats. The sooner it comes, the sooner one that does not change is found dead.
    this.#loop.start();
  }

  stop(): Promise<void> {
    return this.#loop.stop();
  }

  async #pass(): Promise<number> {
    // A heartbeat is late: look again soon to see whether that consumer is dead.
    const isSoon = await this.#look();
    return isSoon ? Math.min(this.#lookInMs(), this.#scope.policy.heartbeatMs) : this.#lookInMs();
  }

  /** With jitter, so that the consumers of a group do not all ask at the same moment. */
  #lookInMs(): number {
    return this.#scope.policy.recoverEveryMs * (0.75 + 0.5 * this.#scope.random());
  }

  /** Looks at all consumers, and releases and removes what it can → whether to look again soon. */
  async #look(): Promise<boolean> {
    const { client, policy, clock } = this.#scope;
    const { stream, group, name, foreignIdleMs, leaseMs } = policy;
    const { consumers } = await client.xpendingSummary({ stream, group });
    const registry = await client.registry({ stream, group });
    const serverNowMs = await client.time();
    const { connectedSinceMs } = this.#parts.connection;
    if (connectedSinceMs === null) return false;
    const sight = { serverNowMs, localNowMs: clock.nowMs(), steadySinceMs: connectedSinceMs };
    const { watch, verdicts } = followHeartbeats(this.#watch, registry, sight);
    this.#watch = watch;
    this.#parts.peers.see(registry, serverNowMs);
    this.#recentlySeen = rememberNames(this.#recentlySeen, registry, clock.nowMs(), foreignIdleMs);
    const gone = [...consumers.keys()].flatMap((owner) => this.#judge(owner, verdicts));
    const dead = [...verdicts].filter(([consumer, { life }]) => consumer !== name && life === "dead");
    const hasLater = consumers.has(LATER);
    const isSomebodySilent = [...verdicts].some(([consumer, { life }]) => consumer !== name && life === "silent");
    if (!mayRecover(this.#stability(), leaseMs)) return isSomebodySilent || dead.length > 0;
    if (gone.length + dead.length === 0 && !hasLater) return isSomebodySilent;
    // Messages of a consumer of ours that is no longer registered wait as well.
    const isUrgent = dead.length > 0 || gone.some(({ consumer }) => this.#recentlySeen.has(consumer));
    const mostRefusals = isUrgent ? MOST_REFUSALS : MOST_REFUSALS_TO_LOOK;
    if (!(await this.#isMyTurn()) && ++this.#refusals <= mostRefusals) return isSomebodySilent || isUrgent;
    this.#refusals = 0;
    for (const one of gone) await this.#release(one, connectedSinceMs);
    for (const [consumer, { seenAtMs }] of dead) await this.#removeName(consumer, seenAtMs);
    await this.#removeForgotten(gone, registry);
    if (hasLater) await this.#walkLater();
    return isSomebodySilent;
  }

  /** How stable this consumer's own connection and leases are. */
  #stability(): Stability {
    const { connection, leases } = this.#parts;
    return {
      nowMs: this.#scope.clock.nowMs(),
      connectedSinceMs: connection.connectedSinceMs,
      isLeaseCertain: leases.isCertain(),
    };
  }

  /** Whether this owner's messages may be released. For a foreign owner the script decides message by message. */
  #judge(owner: string, verdicts: ReadonlyMap<string, HeartbeatVerdict>): readonly DeadOwner[] {
    if (owner === this.#scope.policy.name || owner === RELEASED || owner === LATER) return [];
    const verdict = verdicts.get(owner);
    if (verdict === undefined) return [{ consumer: owner, seenAtMs: null }];
    return verdict.life === "dead" ? [{ consumer: owner, seenAtMs: verdict.seenAtMs }] : [];
  }

  async #isMyTurn(): Promise<boolean> {
    const { client, policy } = this.#scope;
    const key = groupKey("lease:recovery", policy.stream, policy.group);
    try {
      return await client.setIfFree({ key, value: policy.name, expireMs: Math.ceil(policy.recoverEveryMs / 2) });
    } catch (error) {
      // A full server has no room for the turn's key, and releasing messages helps to empty it.
      if (isFullServer(error)) return true;
      throw error;
    }
  }

  async #release({ consumer: from, seenAtMs }: DeadOwner, connectedSinceMs: number): Promise<void> {
    const { client, policy, clock, report, signals } = this.#scope;
    const { stream, group } = policy;
    const known = this.#recentlySeen.get(from);
    const isOurs = known !== undefined || isReservedConsumer(from);
    const foreignIdleMs = isOurs
      ? decideLeastIdle(known, clock.nowMs(), connectedSinceMs, policy)
      : policy.foreignIdleMs;
    const isStranger = seenAtMs === null && !isOurs;
    const most = isStranger ? STRANGER_PAGES_A_ROUND : Number.POSITIVE_INFINITY;
    let after = isStranger ? (this.#strangers.get(from) ?? null) : null;
    let released = 0;
    for (let pages = 0; pages < most && !this.#loop.isStopped; pages++) {
      const page = await client.handOverPage({
        ...{ stream, group, from, to: RELEASED, foreignIdleMs, toUnregistered: true, seenAtMs },
        ...{ after, count: PAGE },
      });
      if (page.kind === "refused") break;
      released += page.moved;
      if (page.moved > 0) signals.releasedFound.raise();
      after = page.lastId;
      if (after === null) break;
    }
    if (isStranger) this.#strangers = remember(this.#strangers, from, after);
    if (released > 0) report({ type: "orphansReleased", from, messages: released });
  }

  async #removeForgotten(gone: readonly DeadOwner[], registry: ReadonlyMap<string, Registration>): Promise<void> {
    for (const { consumer } of gone) {
      if (!registry.has(consumer) && this.#recentlySeen.has(consumer)) await this.#removeName(consumer, null);
    }
  }

  async #removeName(consumer: string, seenAtMs: number | null): Promise<void> {
    const { client, policy, report } = this.#scope;
    const { stream, group } = policy;
    if (this.#loop.isStopped) return;
    const removal = await client.removeIfEmpty({ stream, group, consumer, onlyIfSilent: true, seenAtMs });
    if (removal === "removed") report({ type: "nameRemoved", consumer });
  }

  /** When these are due; `null` if this consumer has no right to look. */
  async #dueTimes(ids: readonly EntryId[]): Promise<ReadonlyMap<EntryId, number | null> | null> {
    const { client, policy } = this.#scope;
    try {
      return await client.dueTimes({ stream: policy.stream, group: policy.group, ids });
    } catch (error) {
      if (PermissionError.is(error)) return null;
      throw error;
    }
  }

  /** Releases deferred messages that have no time, or one later than any that can be asked for. */
  async #walkLater(): Promise<void> {
    const { client, policy, report, signals } = this.#scope;
    const { stream, group } = policy;
    const longestMs = longestDelayMs(policy);
    const latestMs = (await client.time()) + longestMs;
    for (let page = 0; page < LATER_PAGES_A_ROUND && !this.#loop.isStopped; page++) {
      const from = this.#laterCursor === null ? "-" : (`(${this.#laterCursor}` as const);
      const entries = await client.xpendingRange({ stream, group, consumer: LATER, from, to: "+", count: LATER_PAGE });
      const times = await this.#dueTimes(entries.map(({ id }) => id));
      const stray = entries
        .filter(({ id, idleMs }) =>
          // Without the right to see the times, only the longest possible delay tells.
          times === null ? idleMs > longestMs : (times.get(id) ?? Number.POSITIVE_INFINITY) > latestMs,
        )
        .map(({ id }) => id);
      if (stray.length > 0) {
        const move = { stream, group, from: LATER, to: RELEASED, offered: stray, neverOffered: [] };
        const { moved } = await client.release(move);
        if (moved > 0) report({ type: "released", messages: moved, why: "due" });
        signals.releasedFound.raise();
      }
      this.#laterCursor = entries.length < LATER_PAGE ? null : (entries.at(-1)?.id ?? null);
      if (this.#laterCursor === null) return;
    }
  }
}

function remember(
  cursors: ReadonlyMap<string, EntryId>,
  name: string,
  after: EntryId | null,
): ReadonlyMap<string, EntryId> {
  const others = [...cursors].filter(([known]) => known !== name);
  return new Map(after === null ? others : [...others, [name, after]]);
}
