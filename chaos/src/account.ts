/** Combines a round's journals into the input of the two judges. */
import type { Blackboard } from "./blackboard.ts";
import type { Offer } from "./duplicate.ts";
import { addedAtMs } from "./entry.ts";
import { isHang } from "./expected-end.ts";
import type { ProducerLine, WitnessLine, WorkerLine } from "./journal.ts";
import { type FinalState, type Item, judge, type Problem, type Verdict } from "./ledger.ts";
import type { LivenessPolicy } from "./liveness/bounds.ts";
import { historiesOf } from "./liveness/histories.ts";
import { viewOf } from "./liveness/journal-view.ts";
import { judgeLiveness, type LivenessVerdict, type OverdueMessage } from "./liveness/liveness.ts";
import { judgeOwners, type Ownerless } from "./liveness/owners.ts";
import { ownersById } from "./liveness/ownership.ts";
import type { Span } from "./liveness/spans.ts";
import type { Place } from "./place.ts";
import { reconstruct } from "./reconstruct.ts";

/** The journal of one process. */
export interface WorkerJournal {
  readonly place: Place;
  readonly worker: string;
  readonly name: string;
  readonly lines: readonly WorkerLine[];
}

export interface RoundFacts {
  readonly policy: LivenessPolicy;
  readonly drainMs: number;
  readonly streams: readonly string[];
  readonly journals: readonly WorkerJournal[];
  readonly known: readonly ProducerLine[];
  readonly owners: readonly WitnessLine[];
  readonly blackboard: Blackboard;
  /** Whether the producers waited for all replicas. */
  readonly isReplicated: boolean;
  /** Whether the workers keep the messages of an order key in order. */
  readonly isOrdered: boolean;
  /** Whether the streams are the partitions of one. */
  readonly isPartitioned: boolean;
  readonly final: FinalState;
  /** When the machine, or the server, stalled. */
  readonly stalls: readonly Span[];
  /** When the load began, and when the workers were asked to drain. */
  readonly startedAtMs: number;
  readonly horizonMs: number;
  /** How much the server's clock is ahead of the journals'. */
  readonly serverAheadMs: number;
}

export interface RoundVerdict {
  readonly verdict: Verdict;
  readonly liveness: LivenessVerdict;
  /** Partitions that had no owner for too long. */
  readonly ownerless: readonly Ownerless[];
}

export function judgeRound(facts: RoundFacts): RoundVerdict {
  const { policy, journals, known, blackboard, final } = facts;
  const { isOrdered, isPartitioned } = facts;
  const confirmed = known.filter((line) => line.e === "confirmed");
  const unknown = known.filter((line) => line.e === "unknown");
  const histories = journals.map(({ place, worker, lines }) =>
    reconstruct(worker, lines, true, blackboard.awayOf(place)),
  );
  const offers = histories.flatMap((history) => history.offers);
  const namesOf = (isIt: (place: Place) => boolean): ReadonlySet<string> =>
    new Set(journals.filter(({ place }) => isIt(place)).map(({ worker }) => worker));
  const verdict = judge({
    rules: { leaseMs: policy.leaseMs, maxHoldMs: policy.maxHoldMs, drainMs: facts.drainMs },
    confirmed,
    unknown,
    offers,
    workers: histories.map(({ life }) => life),
    unlike: { lasting: namesOf((place) => place.mustLast), old: namesOf((place) => place.isOld) },
    destroyed: new Set(blackboard.destroyedAtMs.keys()),
    destroyedDeadLetters: blackboard.destroyedDeadIds,
    forgotten: blackboard.forgotten,
    isReplicated: facts.isReplicated,
    isOrdered,
    final,
  });
  const destroyed = new Map(blackboard.destroyedAtMs);
  for (const id of verdict.forgotten) destroyed.set(id, addedAtMs(id) - facts.serverAheadMs);
  // As the names of entries have them.
  const streams = facts.streams.length > 1 ? facts.streams : [""];
  const hung = new Set(offers.filter((offer) => isHang(offer, policy.maxHoldMs)).map(({ id }) => id));
  const workers = streams.flatMap((stream) =>
    journals.map(({ place, worker, name, lines }) =>
      viewOf({
        ...{ worker, name, stream, lines, isOld: place.isOld, hasEnded: true, isPartition: isPartitioned },
        ...{ away: blackboard.awayOf(place), slowed: blackboard.slowedOf(place), hung },
        ...policy,
      }),
    ),
  );
  const liveness = judgeLiveness({
    policy,
    messages: historiesOf({
      messages: [...confirmed, ...offeredOf(unknown, offers)].map(({ key, id, orderKey }) => ({
        ...{ key, id, orderKey: isOrdered ? orderKey : undefined },
      })),
      ...{ offers, owners: ownersById(facts.owners), destroyed },
      inFlight: new Set([...final.undelivered, ...final.pending.map(({ id }) => id)]),
      serverAheadMs: facts.serverAheadMs,
    }),
    workers,
    stalls: facts.stalls,
    horizonMs: facts.horizonMs,
  });
  const round = { fromMs: facts.startedAtMs, toMs: facts.horizonMs };
  return { verdict, liveness, ownerless: judgeOwners(workers, policy, facts.stalls, round) };
}

/** The messages that were added after all, by their ids. */
function offeredOf(unknown: readonly Omit<Item, "id">[], offers: readonly Offer[]): readonly Item[] {
  const items = new Map(unknown.map((item) => [item.key, item]));
  const ids = new Map(offers.filter(({ key }) => items.has(key)).map(({ key, id }) => [id, key]));
  return [...ids].map(([id, key]) => ({ ...(items.get(key) as Omit<Item, "id">), id }));
}

export function describeOverdue(overdue: OverdueMessage, startedAtMs: number): Problem {
  const { key, id, worker, fromMs, waitedMs, allowedMs, holders } = overdue;
  const text =
    `${overdue.class}, it waited ${Math.round(waitedMs)} ms from ${secondOf(fromMs, startedAtMs)} s on while ${worker} ` +
    `was free (${Math.round(allowedMs)} ms are allowed); ${holdersOf(holders)}`;
  return { kind: "overdue", key, id, text };
}

/** Messages that waited together, in one line each: if there are many, the pattern matters. */
export function summariseOverdue(overdue: readonly OverdueMessage[], startedAtMs: number): readonly string[] {
  const alike = Map.groupBy(overdue, (message) => `${message.class}, ${holdersOf(message.holders)}`);
  return [...alike].map(([what, all]) => {
    const fromMs = all.reduce((least, message) => Math.min(least, message.fromMs), Number.POSITIVE_INFINITY);
    const worstMs = all.reduce((most, { waitedMs }) => Math.max(most, waitedMs), 0);
    return `${all.length} overdue: ${what}, from ${secondOf(fromMs, startedAtMs)} s on, ${Math.round(worstMs)} ms at worst`;
  });
}

export function describeOwnerless(
  { stream, worker, fromMs, waitedMs, allowedMs }: Ownerless,
  startedAtMs: number,
): string {
  return (
    `partition ${stream} had no owner for ${Math.round(waitedMs)} ms from ${secondOf(fromMs, startedAtMs)} s on while ${worker} ` +
    `could have taken it (${Math.round(allowedMs)} ms are allowed)`
  );
}

function secondOf(atMs: number, startedAtMs: number): string {
  return ((atMs - startedAtMs) / 1_000).toFixed(1);
}

function holdersOf(holders: readonly string[]): string {
  return holders.length === 0 ? "no worker held it" : `held by ${holders.join(", ")}`;
}
