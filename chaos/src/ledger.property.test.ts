import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { Offer } from "./duplicate.ts";
import type { Intent } from "./intent.ts";
import { type Account, type DeadLetter, judge } from "./ledger.ts";

interface Fate {
  readonly intent: Intent;
  /** How the process of the first worker fared, after which a second one did the work again. */
  readonly again: "never" | "died" | "lease";
}

const fates = fc.array(
  fc.record({
    intent: fc.constantFrom<Intent>("ack", "retryOnce", "reject", "poison"),
    again: fc.constantFrom<Fate["again"]>("never", "died", "lease"),
  }),
  { minLength: 1, maxLength: 60 },
);

/** A run in which every message got its due; those worked on twice have a reason. */
function perfectRun(all: readonly Fate[]): Account {
  const offers: Offer[] = [];
  const deadLetters: DeadLetter[] = [];
  const confirmed = all.map(({ intent, again }, index) => {
    const [key, id] = [`k${index}`, `${index + 1}-0`];
    const atMs = index * 10;
    const how = intent === "reject" ? ("rejected" as const) : ("done" as const);
    const work = (worker: string, fromMs: number, settled: boolean): void =>
      void offers.push({
        key,
        id,
        worker,
        atMs: fromMs,
        deliveries: 1,
        worked: intent === "poison" ? undefined : { how, atMs: fromMs + 1 },
        settledAtMs: settled && intent !== "poison" ? fromMs + 2 : undefined,
        ...{ refusedAtMs: undefined, endedAtMs: fromMs + 2, deferred: undefined },
      });
    if (again === "died") work("killed", atMs, false);
    if (again === "lease") work("sleeper", atMs, false);
    work("good", again === "never" ? atMs : 50_000 + atMs, true);
    if (intent === "reject") deadLetters.push({ key, id, reason: "rejected", atMs });
    if (intent === "poison") deadLetters.push({ key, id, reason: "maxDeliveries", atMs });
    return { key, id, intent, orderKey: "o" };
  });
  return {
    rules: { leaseMs: 1_000, maxHoldMs: 10_000_000, drainMs: 1_000 },
    unlike: { lasting: new Set(), old: new Set() },
    confirmed,
    unknown: [],
    offers,
    workers: [
      { worker: "good", endedAtMs: undefined, standstills: [], closingAtMs: undefined },
      { worker: "killed", endedAtMs: 10_000, standstills: [], closingAtMs: undefined },
      {
        worker: "sleeper",
        endedAtMs: undefined,
        standstills: [{ fromMs: 0, toMs: 20_000, why: "stopped" }],
        closingAtMs: undefined,
      },
    ],
    destroyed: new Set(),
    destroyedDeadLetters: new Set(),
    forgotten: [],
    isReplicated: false,
    isOrdered: false,
    final: { undelivered: [], pending: [], deadLetters },
  };
}

test("a perfect run has no problems, and every message is in one class", () => {
  fc.assert(
    fc.property(fates, (all) => {
      const verdict = judge(perfectRun(all));
      expect(verdict.problems).toEqual([]);
      expect(verdict.acknowledged + verdict.deadLettered).toBe(all.length);
      expect(verdict.explainedDuplicates).toBe(verdict.duplicates);
      expect(verdict.duplicates).toBe(
        all.filter(({ intent, again }) => intent !== "poison" && again !== "never").length,
      );
    }),
  );
});

test("any planted loss is found, and nothing else", () => {
  fc.assert(
    fc.property(fates, fc.nat(), (all, nth) => {
      const run = perfectRun(all);
      const { id } = run.confirmed[nth % all.length] as { id: string };
      const verdict = judge({
        ...run,
        offers: run.offers.filter((offer) => offer.id !== id),
        final: { ...run.final, deadLetters: run.final.deadLetters.filter((letter) => letter.id !== id) },
      });
      expect(verdict.lost).toBe(1);
      expect(verdict.problems.map((problem) => [problem.kind, problem.id])).toEqual([["lost", id]]);
    }),
  );
});

test("any planted duplicate of what was settled is found, and nothing else", () => {
  fc.assert(
    fc.property(fates, fc.nat(), (all, nth) => {
      const run = perfectRun(all);
      const settled = run.offers.filter(({ settledAtMs }) => settledAtMs !== undefined);
      fc.pre(settled.length > 0);
      const original = settled[nth % settled.length] as Offer;
      const { id, atMs } = original;
      const verdict = judge({ ...run, offers: [...run.offers, { ...original, atMs: atMs + 200_000 }] });
      expect(verdict.problems.map((problem) => [problem.kind, problem.id])).toEqual([["unexplainedDuplicate", id]]);
      expect(verdict.duplicates - verdict.explainedDuplicates).toBe(1);
    }),
  );
});

test("the order of the offers does not matter", () => {
  fc.assert(
    fc.property(fates, (all) => {
      const run = perfectRun(all);
      expect(judge({ ...run, offers: run.offers.toReversed() })).toEqual(judge(run));
    }),
  );
});
