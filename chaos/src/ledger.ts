/**
 * The judge: decides what happened to every message, from the confirmations of the producers, the actions of the workers,
 * the messages that faults destroyed, and the final state of the server.
 */
import {
  type DuplicateRules,
  type Explanation,
  explainDuplicate,
  type Offer,
  type Span,
  type WorkerLife,
} from "./duplicate.ts";
import { addedAtMs } from "./entry.ts";
import { expectedEnds } from "./expected-end.ts";
import { mayBeForgotten } from "./forgotten.ts";
import type { Intent } from "./intent.ts";
import { findOutOfOrder } from "./out-of-order.ts";
import { countOwnFailures } from "./own-failures.ts";
import { findTooEarly } from "./too-early.ts";

export interface DeadLetter {
  readonly key: string;
  /** The id it had in the stream. */
  readonly id: string;
  readonly reason: string;
  /** When it became one, on the clock of the journals. */
  readonly atMs: number;
}

/** The state of the server at the end. */
export interface FinalState {
  readonly undelivered: readonly string[];
  readonly pending: readonly { readonly id: string; readonly consumer: string }[];
  readonly deadLetters: readonly DeadLetter[];
}

export interface Account {
  readonly rules: DuplicateRules;
  readonly confirmed: readonly Item[];
  /** Adds whose outcome the producer does not know. */
  readonly unknown: readonly Omit<Item, "id">[];
  readonly offers: readonly Offer[];
  readonly workers: readonly WorkerLife[];
  /** Workers that do not follow the intents: those that must survive the round, and those of an earlier version. */
  readonly unlike: { readonly lasting: ReadonlySet<string>; readonly old: ReadonlySet<string> };
  /** Ids that a fault removed from the stream. */
  readonly destroyed: ReadonlySet<string>;
  /** Ids (in the stream) of dead letters that a fault removed from the dead letters. */
  readonly destroyedDeadLetters: ReadonlySet<string>;
  /** When a server took writes that its successor may not have. */
  readonly forgotten: readonly Span[];
  /** Whether the producers waited until all replicas had what they confirm, so that no failover can take it back. */
  readonly isReplicated: boolean;
  /** Whether the workers promise that the messages of one order key are completed in order. */
  readonly isOrdered: boolean;
  readonly final: FinalState;
}

export type ProblemKind =
  /** Confirmed, but neither processed, nor a dead letter, nor destroyed by a fault, nor still in the stream. */
  | "lost"
  /** Processed again although nothing had ended the first worker's ownership. */
  | "unexplainedDuplicate"
  /** Still in flight after the drain. */
  | "leftInFlight"
  /** A dead letter that the handlers did not ask for, or for another reason than theirs, or twice. */
  | "wrongDeadLetter"
  /** Acknowledged although the handlers never did that. */
  | "notDeadLettered"
  /** Waited for too long while a healthy worker was free. */
  | "overdue"
  /** Offered before the time until which a handler had deferred it. */
  | "tooEarly"
  /** Completed before an earlier message of its order key. */
  | "outOfOrder"
  /** In the stream twice, although the producer added it once. */
  | "addedTwice"
  /** Offered, but never added. */
  | "neverAdded";

export interface Problem {
  readonly kind: ProblemKind;
  readonly key: string;
  readonly id: string;
  readonly text: string;
  /** Another message whose history says more. */
  readonly related?: { readonly key: string; readonly id: string };
}

export interface Verdict {
  readonly confirmed: number;
  readonly acknowledged: number;
  readonly deadLettered: number;
  /** Removed by a fault before it was finished. */
  readonly destroyed: number;
  readonly lost: number;
  /** Those of the lost messages that a failover took back, as Redis may when producers do not wait for its replicas. */
  readonly forgotten: readonly string[];
  /** How often a message was worked on beyond the first time. */
  readonly duplicates: number;
  readonly explainedDuplicates: number;
  /** The explained ones by what explains them. */
  readonly explanations: Readonly<Record<Explanation, number>>;
  /** How many messages were completed before an earlier one of their order key; `undefined`: nobody promised an order. */
  readonly outOfOrder: number | undefined;
  readonly problems: readonly Problem[];
}

/** A message that was added. */
export interface Item {
  /** Its own. */
  readonly key: string;
  readonly id: string;
  readonly intent: Intent;
  /** What it belongs in order with. */
  readonly orderKey: string;
}

/** Judges the account. Pure: the same account gives the same verdict. */
export function judge(account: Account): Verdict {
  const workers = new Map(account.workers.map((life) => [life.worker, life]));
  const offers = Map.groupBy(account.offers, ({ key }) => key);
  const letters = Map.groupBy(account.final.deadLetters, ({ id }) => id);
  const inFlight = new Set([...account.final.undelivered, ...account.final.pending.map(({ id }) => id)]);
  const orderKeys = new Map([...account.confirmed, ...account.unknown].map(({ key, orderKey }) => [key, orderKey]));
  const failures = account.isOrdered
    ? countOwnFailures(account.offers, orderKeys, workers, account.rules.maxHoldMs)
    : new Map<string, number>();
  const problems: Problem[] = [];
  const forgotten: string[] = [];
  const counts = { acknowledged: 0, deadLettered: 0, destroyed: 0, lost: 0, duplicates: 0 };
  const explanations: Record<Explanation, number> = { died: 0, lease: 0, held: 0, drained: 0, failover: 0 };

  for (const item of account.confirmed) {
    const own = (offers.get(item.key) ?? []).filter(({ id }) => id === item.id);
    const end = endOf(item, own);
    if (end.kind !== "inFlight") counts[end.kind]++;
    problems.push(...end.problems);
  }
  for (const [key, all] of offers) {
    for (const own of Map.groupBy(all, ({ id }) => id).values()) {
      judgeDuplicates(key, own);
      for (const { id, text } of findTooEarly(own, workers, account.rules.leaseMs, account.forgotten))
        problems.push({ kind: "tooEarly", key, id, text });
    }
  }
  judgeKeys();
  const outOfOrder = account.isOrdered ? judgeOrder() : undefined;
  for (const id of inFlight) problems.push({ kind: "leftInFlight", key: keyOf(id), id, text: whereInFlight(id) });
  return {
    confirmed: account.confirmed.length,
    ...counts,
    forgotten,
    explainedDuplicates: Object.values(explanations).reduce((sum, count) => sum + count, 0),
    explanations,
    outOfOrder,
    problems,
  };

  function endOf(
    item: Item,
    own: readonly Offer[],
  ): {
    readonly kind: "acknowledged" | "deadLettered" | "destroyed" | "lost" | "inFlight";
    readonly problems: readonly Problem[];
  } {
    const expected = expectedEnds(item.intent, own, account.unlike, account.rules.maxHoldMs, failures.get(item.id));
    const found = letters.get(item.id) ?? [];
    if (found.length > 0) return { kind: "deadLettered", problems: deadLetterProblems(item, found, expected) };
    if (inFlight.has(item.id)) return { kind: "inFlight", problems: [] };
    if (account.destroyedDeadLetters.has(item.id)) return { kind: "deadLettered", problems: [] };
    if (own.some(({ worked }) => worked?.how === "done")) {
      const text = `expected: dead letter (${expected.join(" or ")}); acknowledged instead`;
      return {
        kind: "acknowledged",
        problems: expected.includes("acknowledged") ? [] : [{ kind: "notDeadLettered", ...named(item), text }],
      };
    }
    if (account.destroyed.has(item.id)) return { kind: "destroyed", problems: [] };
    if (!account.isReplicated && isForgotten(item.id)) {
      forgotten.push(item.id);
      return { kind: "lost", problems: [] };
    }
    const text = own.length === 0 ? "never offered to a handler" : "offered, but no handler finished it";
    return { kind: "lost", problems: [{ kind: "lost", ...named(item), text }] };
  }

  /** Every pair of neighbours among the offers that a handler finished, in the order in which they were handed over. */
  function judgeDuplicates(key: string, all: readonly Offer[]): void {
    const worked = all.filter((offer) => offer.worked !== undefined).toSorted((a, b) => a.atMs - b.atMs);
    for (let index = 1; index < worked.length; index++) {
      const [earlier, later] = [worked[index - 1] as Offer, worked[index] as Offer];
      counts.duplicates++;
      const explanation = explainDuplicate(earlier, later, workers, account.rules) ?? explainByFailover(earlier, later);
      if (explanation !== undefined) {
        explanations[explanation]++;
        continue;
      }
      const text = `processed by ${earlier.worker} and again by ${later.worker}`;
      problems.push({ kind: "unexplainedDuplicate", key, id: later.id, text });
    }
  }

  function explainByFailover(earlier: Offer, later: Offer): Explanation | undefined {
    const toMs = Math.min(earlier.settledAtMs ?? Number.POSITIVE_INFINITY, later.atMs);
    return mayBeForgotten(earlier.worked?.atMs ?? earlier.atMs, toMs, account.forgotten) ? "failover" : undefined;
  }

  function isForgotten(id: string): boolean {
    return mayBeForgotten(addedAtMs(id), addedAtMs(id), account.forgotten);
  }

  /** One add makes one message: no key has two ids, and nothing is offered that was not added. */
  function judgeKeys(): void {
    const ids = new Map(account.confirmed.map(({ key, id }) => [key, id]));
    const unknown = new Set(account.unknown.map(({ key }) => key));
    for (const [key, all] of offers) {
      const own = new Set(all.map(({ id }) => id));
      const confirmed = ids.get(key);
      if (confirmed !== undefined) own.add(confirmed);
      else if (!unknown.has(key)) {
        problems.push({ kind: "neverAdded", key, id: [...own].join(), text: "no producer added it" });
      }
      // The idempotency keys were lost with the rest.
      const kept = [...own].filter((id) => !account.destroyed.has(id) && !isForgotten(id));
      if (own.size > 1 && kept.length > 1) {
        problems.push({ kind: "addedTwice", key, id: kept.join(), text: "one add, several entries" });
      }
    }
  }

  function judgeOrder(): number {
    const found = findOutOfOrder(orderKeys, account.offers, account.final.deadLetters);
    problems.push(...found.map((message) => ({ kind: "outOfOrder" as const, ...message })));
    return found.length;
  }

  function whereInFlight(id: string): string {
    const owner = account.final.pending.find((pending) => pending.id === id)?.consumer;
    return owner === undefined ? "in the stream, never delivered" : `pending for ${owner}`;
  }

  function keyOf(id: string): string {
    return account.confirmed.find((item) => item.id === id)?.key ?? "";
  }
}

function deadLetterProblems(item: Item, letters: readonly DeadLetter[], expected: readonly string[]): Problem[] {
  const problems: Problem[] = [];
  const wrong = (text: string): void => void problems.push({ kind: "wrongDeadLetter", ...named(item), text });
  if (letters.length > 1) wrong(`${letters.length} dead letters of one message`);
  for (const { reason, key } of letters) {
    if (!expected.includes(reason))
      wrong(`expected: ${expected.join(" or ")}; found in the dead letters with the reason ${reason}`);
    if (key !== item.key) wrong(`its dead letter holds another payload: ${key}`);
  }
  return problems;
}

function named({ key, id }: Item): { readonly key: string; readonly id: string } {
  return { key, id };
}
