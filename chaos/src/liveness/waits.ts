/** When a message could have been worked on, and was not, and in what state it was then. */
import type { Offer } from "../duplicate.ts";
import { isHang } from "../expected-end.ts";
import { isSuspect, type LivenessPolicy, type WaitClass } from "./bounds.ts";
import type { WorkerView } from "./worker-view.ts";

/** Who holds a message from a moment on, as the server says; `null`: nobody, it is not pending. */
export interface OwnerChange {
  readonly atMs: number;
  readonly owner: string | null;
  /** How often it had been delivered by then. */
  readonly deliveries: number;
}

export interface MessageHistory {
  readonly key: string;
  readonly id: string;
  readonly addedAtMs: number;
  /** In the order of time. */
  readonly offers: readonly Offer[];
  /** In the order of time. */
  readonly owners: readonly OwnerChange[];
  /** When the server had its outcome, or a fault destroyed it; `undefined`: it is still there. */
  readonly endMs: number | undefined;
  /** Whether a fault destroyed it. */
  readonly isDestroyed: boolean;
  /** What it must be worked on in order with; `undefined`: nothing. */
  readonly orderKey: string | undefined;
}

/** A time in which a message waits, in one state. */
export interface Wait {
  readonly key: string;
  readonly id: string;
  readonly class: WaitClass;
  readonly fromMs: number;
  readonly toMs: number;
  /** Whether it is kept apart from others, so that it waits for its like. */
  readonly isSuspect: boolean;
  /** Whether its next offer is beyond its last: a second opinion, not by the consumer that had it last. */
  readonly isLast: boolean;
  /** The names of the consumers that held it meanwhile. */
  readonly holders: readonly string[];
}

/** The names in every group that have no process. */
const RELEASED = "rb:released";
const LATER = "rb:later";

/** The processes of a round, to be found by themselves and by the names that they had. */
export interface Workers {
  readonly byWorker: ReadonlyMap<string, WorkerView>;
  readonly byName: ReadonlyMap<string, readonly WorkerView[]>;
}

export function indexWorkers(views: readonly WorkerView[]): Workers {
  return {
    byWorker: new Map(views.map((view) => [view.worker, view])),
    byName: Map.groupBy(views, ({ name }) => name),
  };
}

/** From a moment on the message is in a state, and waits since then, or later. */
interface Turn {
  readonly atMs: number;
  readonly class: WaitClass;
  /** `Infinity`: it does not wait. */
  readonly sinceMs: number;
}

/** All that a message waited, until `horizonMs` where it is still there. */
export function waitsOf(
  history: MessageHistory,
  workers: Workers,
  policy: LivenessPolicy,
  horizonMs: number,
): readonly Wait[] {
  const endMs = Math.min(history.endMs ?? horizonMs, horizonMs);
  const waits: Wait[] = [];
  for (let index = 0; index <= history.offers.length; index++) {
    const last = history.offers[index - 1];
    const fromMs = last?.atMs ?? history.addedAtMs;
    const next = history.offers[index];
    const toMs = Math.min(next?.atMs ?? endMs, endMs);
    if (fromMs < toMs) waits.push(...waitsBetween(history, { last, next }, { fromMs, toMs }, workers, policy));
  }
  return waits;
}

/** Between one offer and the next, or the end. */
function waitsBetween(
  { key, id, addedAtMs, offers, owners }: MessageHistory,
  { last, next }: { readonly last: Offer | undefined; readonly next: Offer | undefined },
  { fromMs, toMs }: { readonly fromMs: number; readonly toMs: number },
  workers: Workers,
  policy: LivenessPolicy,
): Wait[] {
  const base = last === undefined ? ({ class: "new", sinceMs: addedAtMs } as const) : afterOffer(last, policy);
  // One on which a handler hung is offered alone from then on.
  const hasHung = offers.some((offer) => offer.atMs <= fromMs && isHang(offer, policy.maxHoldMs));
  const turns: Turn[] = [{ atMs: fromMs, ...base }];
  const holdings = holdingsBetween(owners, last, { fromMs, toMs }, workers);
  const seen = new Set<string>();
  const dueMs = last?.deferred === undefined ? fromMs : Math.max(fromMs, base.sinceMs);
  for (const { owner, fromMs: heldFromMs, toMs: heldToMs } of holdings) {
    if (owner === RELEASED || owner === LATER) {
      // Only once: what is passed from one to the next and back waits all the same.
      if (seen.has(owner)) continue;
      seen.add(owner);
      const isReleased = owner === RELEASED;
      const sinceMs = isReleased ? heldFromMs : Math.max(heldFromMs, Number.isFinite(base.sinceMs) ? base.sinceMs : 0);
      turns.push({ atMs: heldFromMs, class: isReleased ? "released" : "later", sinceMs });
      continue;
    }
    turns.push(...turnsOfHolder(workers.byName.get(owner) ?? [], base, dueMs, { fromMs: heldFromMs, toMs: heldToMs }));
  }
  turns.sort((a, b) => a.atMs - b.atMs);
  const counted = owners.filter(({ atMs }) => atMs > fromMs && atMs < toMs).map(({ deliveries }) => deliveries);
  // Deliveries to processes that died before they offered it are seen only at the next offer.
  const nextDelivery = Math.max(last === undefined ? 1 : last.deliveries + 1, ...counted, next?.deliveries ?? 1);
  return turns.flatMap((turn, index): Wait[] => {
    const waitFromMs = Math.max(turn.atMs, turn.sinceMs);
    const waitToMs = Math.min(turns[index + 1]?.atMs ?? toMs, toMs);
    if (waitFromMs >= waitToMs) return [];
    const holders = holdings
      .filter((held) => held.fromMs < waitToMs && held.toMs > waitFromMs && !isNobody(held.owner))
      .map(({ owner }) => owner);
    return [
      {
        ...{ key, id, class: turn.class, fromMs: waitFromMs, toMs: waitToMs },
        isSuspect: hasHung || isSuspect(nextDelivery, policy.maxDeliveries),
        isLast: nextDelivery > policy.maxDeliveries,
        holders: [...new Set(holders)],
      },
    ];
  });
}

/** Since when a message waits after an offer, if all goes well with the consumer that has it. */
export function afterOffer(last: Offer, policy: LivenessPolicy): Omit<Turn, "atMs"> {
  if (last.refusedAtMs !== undefined) return { class: "released", sinceMs: last.refusedAtMs };
  // What is done is on its way to the server.
  if (last.worked !== undefined) return { class: "later", sinceMs: Number.POSITIVE_INFINITY };
  const { deferred, endedAtMs } = last;
  // Its time holds, also when the rest of its batch never ended.
  if (deferred !== undefined) {
    return { class: "later", sinceMs: Math.max(endedAtMs ?? deferred.atMs, deferred.atMs + deferred.delayMs) };
  }
  if (endedAtMs === undefined) return { class: "released", sinceMs: last.atMs + policy.maxHoldMs };
  return { class: "later", sinceMs: endedAtMs + policy.retryCapMs };
}

interface Holding {
  readonly owner: string;
  readonly fromMs: number;
  readonly toMs: number;
}

/** Who held the message when; the consumer it was offered to had it at that moment, whatever the server reported. */
function holdingsBetween(
  owners: readonly OwnerChange[],
  last: Offer | undefined,
  { fromMs, toMs }: { readonly fromMs: number; readonly toMs: number },
  workers: Workers,
): readonly Holding[] {
  const offeredTo = last === undefined ? undefined : workers.byWorker.get(last.worker)?.name;
  const first = offeredTo ?? owners.findLast(({ atMs }) => atMs <= fromMs)?.owner ?? null;
  const changes = [{ atMs: fromMs, owner: first }, ...owners.filter(({ atMs }) => atMs > fromMs && atMs < toMs)];
  return changes.flatMap(({ atMs, owner }, index) => {
    const endMs = changes[index + 1]?.atMs ?? toMs;
    return owner === null || endMs <= atMs ? [] : [{ owner, fromMs: atMs, toMs: endMs }];
  });
}

/** What happened to a holder, all processes of its name, while it had the message. */
function turnsOfHolder(
  views: readonly WorkerView[],
  base: Omit<Turn, "atMs">,
  dueMs: number,
  { fromMs, toMs }: { readonly fromMs: number; readonly toMs: number },
): Turn[] {
  const turns: Turn[] = [];
  const since = (atMs: number): number => Math.max(atMs, dueMs);
  // It was read, or taken over, on behalf of somebody who was gone by then.
  const isAlive = views.some((view) => view.fromMs <= fromMs && (view.toMs === undefined || view.toMs > fromMs));
  if (!isAlive) turns.push({ atMs: fromMs, class: "orphaned", sinceMs: since(fromMs) });
  for (const view of views) {
    // One of an earlier version is excused while it lives: it holds on to what it has.
    const isHeldByOld = view.isOld && view.fromMs < toMs && (view.toMs ?? toMs) > fromMs;
    const able: Omit<Turn, "atMs"> = isHeldByOld ? { ...base, sinceMs: Number.POSITIVE_INFINITY } : base;
    if (isHeldByOld) turns.push({ atMs: Math.max(fromMs, view.fromMs), ...able });
    for (const gap of view.cutOff) {
      if (gap.toMs <= fromMs || gap.fromMs >= toMs) continue;
      const atMs = Math.max(gap.fromMs, fromMs);
      turns.push({ atMs, class: "orphaned", sinceMs: since(atMs) });
      const isOver = gap.toMs < toMs && (view.toMs === undefined || gap.toMs < view.toMs);
      if (isOver) turns.push({ atMs: gap.toMs, class: able.class, sinceMs: Math.max(gap.toMs, able.sinceMs) });
    }
    const endMs = view.toMs;
    if (endMs !== undefined && endMs > fromMs && endMs < toMs) {
      turns.push({ atMs: endMs, class: view.end === "closed" ? "released" : "orphaned", sinceMs: since(endMs) });
    }
  }
  return turns;
}

function isNobody(owner: string): boolean {
  return owner === RELEASED || owner === LATER;
}
