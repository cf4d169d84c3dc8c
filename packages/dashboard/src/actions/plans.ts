/**
 * Redriving and discarding dead letters: first a plan that names them, then exactly that plan. Each is logged before it
 * begins and when it has ended, with who did it; what cannot be logged is not done.
 */
import { randomUUID } from "node:crypto";
import { DeadLetters, type LetterId, type RedisSource, UsageError } from "@redis-batch/core";
import type { StreamClient } from "@redis-batch/core/internal/connection";
import { messageOf } from "@redis-batch/core/internal/errors";
import { keyOfLetter, type LetterFacts } from "@redis-batch/core/internal/messages";
import { pause, systemClock } from "@redis-batch/core/internal/service";
import { letterCommand } from "../decisions/command-line.ts";
import type { DashboardEvent } from "../events.ts";
import { countLetters, letterFacts } from "../views/letters.ts";
import type { AuditLog } from "./audit-log.ts";

export type LetterAction = "redrive" | "discard";

/** What somebody wants to do. */
export interface Wish {
  readonly action: LetterAction;
  readonly stream: string;
  readonly group: string;
  /** All that are looked at, those with one error, or some by their ids. */
  readonly chosen:
    | { readonly kind: "all" }
    | { readonly kind: "error"; readonly key: string }
    | { readonly kind: "ids"; readonly ids: readonly LetterId[] };
  /** How many at most, the oldest first. */
  readonly limit: number;
  /** How many each second at most; 0: as fast as it goes. */
  readonly perSecond: number;
  /** Whether a message whose entry was trimmed is added to the stream again, for every group. */
  readonly addTrimmed: boolean;
}

/** What would be done, and how far it is. */
export interface ShownPlan {
  readonly id: string;
  readonly action: LetterAction;
  readonly stream: string;
  readonly group: string;
  readonly letters: number;
  readonly oldestAtMs: number | null;
  readonly newestAtMs: number | null;
  readonly reasons: readonly { readonly reason: string; readonly letters: number }[];
  /** Whether more dead letters exist than were looked at. */
  readonly isCut: boolean;
  /** The command that does the same; `null` if there are too many for one. */
  readonly command: string | null;
  readonly state: "planned" | "running" | "ended";
  readonly counts: Counts;
  /** Why it ended early; `null` if it did not. */
  readonly error: string | null;
}

interface Counts {
  readonly done: number;
  /** Added to the stream again, because their entries had been trimmed. */
  readonly added: number;
  /** Left as they were. */
  readonly skipped: number;
  /** Gone before. */
  readonly missing: number;
}

interface Plan {
  readonly wish: Wish;
  readonly ids: readonly LetterId[];
  readonly expiresAtMs: number;
  readonly ending: AbortController;
  shown: ShownPlan;
}

const NONE: Counts = { done: 0, added: 0, skipped: 0, missing: 0 };
const VALID_MS = 10 * 60_000;
// Each holds the ids of its dead letters.
const MOST_PLANS = 50;
const AT_ONCE = 100;

export interface PlansDependencies {
  readonly client: StreamClient;
  readonly source: RedisSource;
  readonly audit: AuditLog;
  readonly report: (event: DashboardEvent) => void;
}

export class Plans {
  readonly #with: PlansDependencies;
  readonly #plans = new Map<string, Plan>();
  readonly #running = new Set<Promise<void>>();

  constructor(dependencies: PlansDependencies) {
    this.#with = dependencies;
  }

  /** Finds out which dead letters are meant. Changes nothing. */
  async make(wish: Wish): Promise<ShownPlan> {
    const { action, stream, group, chosen, limit } = wish;
    const letters: LetterFacts[] = [];
    const total = await countLetters(this.#with.client, wish);
    let examined = 0;
    const isChosen = chooser(chosen);
    for await (const letter of letterFacts(this.#with.client, wish)) {
      examined++;
      if (isChosen(letter)) letters.push(letter);
    }
    const isCut = examined < total;
    // The oldest have waited longest.
    const planned = letters.toReversed().slice(0, limit);
    const ids = planned.map(({ id }) => id);
    const reasons = new Map<string, number>();
    for (const { reason } of planned) reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
    const shown: ShownPlan = {
      ...{ id: randomUUID(), action, stream, group, letters: ids.length },
      oldestAtMs: planned[0]?.atMs ?? null,
      newestAtMs: planned.at(-1)?.atMs ?? null,
      reasons: [...reasons].map(([reason, count]) => ({ reason, letters: count })),
      isCut,
      command: letterCommand(action, {
        ...{ stream, group, ids, addTrimmed: wish.addTrimmed, isAll: chosen.kind === "all" && !isCut },
        perSecond: wish.perSecond,
      }),
      ...{ state: "planned", counts: NONE, error: null },
    };
    this.#forgetOld();
    this.#plans.set(shown.id, {
      ...{ wish, ids, shown, expiresAtMs: systemClock.nowMs() + VALID_MS, ending: new AbortController() },
    });
    return shown;
  }

  /** How a plan is going; `undefined` if it is not known any more. */
  show(id: string): ShownPlan | undefined {
    return this.#plans.get(id)?.shown;
  }

  /**
   * Begins to carry it out.
   *
   * @throws {UsageError} when it is unknown, too old, or was begun before
   * @throws {RedisBatchError} when it cannot be logged; nothing was done
   */
  async begin(id: string, who: string): Promise<ShownPlan> {
    const plan = this.#plans.get(id);
    if (plan === undefined || plan.expiresAtMs < systemClock.nowMs()) {
      throw new UsageError("this plan is too old: make a new one");
    }
    if (plan.shown.state !== "planned") throw new UsageError("this plan was carried out already");
    plan.shown = { ...plan.shown, state: "running" };
    try {
      await this.#log(plan, {
        what: "action",
        who,
        letters: String(plan.ids.length),
        command: plan.shown.command ?? "",
      });
    } catch (error) {
      plan.shown = { ...plan.shown, state: "planned" };
      throw error;
    }
    const run = this.#carryOut(plan, who);
    this.#running.add(run);
    void run.finally(() => this.#running.delete(run));
    return plan.shown;
  }

  /** Ends it after the dead letters that are at work. */
  stop(id: string): ShownPlan | undefined {
    const plan = this.#plans.get(id);
    plan?.ending.abort();
    return plan?.shown;
  }

  async close(): Promise<void> {
    for (const { ending } of this.#plans.values()) ending.abort();
    await Promise.all(this.#running);
  }

  async #carryOut(plan: Plan, who: string): Promise<void> {
    const { wish, ids, ending } = plan;
    const { action, stream, group } = wish;
    let error: string | null = null;
    const letters = new DeadLetters({ redis: this.#with.source, stream, group, observer: () => {} });
    try {
      await this.#inChunks(plan, letters);
      if (ending.signal.aborted) error = "stopped";
    } catch (thrown) {
      error = messageOf(thrown);
    } finally {
      await letters.close();
    }
    const { done, added } = plan.shown.counts;
    const left = ids.length - done - added;
    try {
      await this.#log(plan, {
        what: "actionEnded",
        done: String(done + added),
        left: String(left),
        error: error ?? "",
      });
    } catch (thrown) {
      error ??= `its end could not be logged: ${messageOf(thrown)}`;
    }
    plan.shown = { ...plan.shown, state: "ended", error };
    this.#with.report({ type: "acted", who, action, stream, group, done: done + added, left });
  }

  async #inChunks(plan: Plan, letters: DeadLetters): Promise<void> {
    const { wish, ids, ending } = plan;
    const atOnce = wish.perSecond === 0 ? AT_ONCE : Math.min(wish.perSecond, AT_ONCE);
    for (let at = 0; at < ids.length && !ending.signal.aborted; at += atOnce) {
      const chunk = ids.slice(at, at + atOnce);
      const beganAtMs = systemClock.nowMs();
      const counts = await this.#act(wish, chunk, letters);
      plan.shown = { ...plan.shown, counts: addCounts(plan.shown.counts, counts) };
      const isLast = at + atOnce >= ids.length;
      if (wish.perSecond === 0 || isLast) continue;
      const restMs = (chunk.length / wish.perSecond) * 1_000 - (systemClock.nowMs() - beganAtMs);
      await pause(systemClock, restMs, ending.signal);
    }
  }

  async #act({ action, addTrimmed }: Wish, ids: readonly LetterId[], letters: DeadLetters): Promise<Counts> {
    if (action === "discard") {
      const done = await letters.discard({ ids });
      return { ...NONE, done, missing: ids.length - done };
    }
    const { redriven, added, skipped, missing } = await letters.redrive({
      ids,
      ifTrimmed: addTrimmed ? "add" : "skip",
    });
    return { done: redriven, added, skipped, missing };
  }

  #log({ wish, shown }: Plan, fields: Readonly<Record<string, string>>): Promise<void> {
    return this.#with.audit.write(wish, { plan: shown.id, action: wish.action, ...fields });
  }

  #forgetOld(): void {
    const nowMs = systemClock.nowMs();
    for (const [id, { shown, expiresAtMs }] of this.#plans) {
      const isOld = expiresAtMs < nowMs || this.#plans.size >= MOST_PLANS;
      if (isOld && shown.state !== "running") this.#plans.delete(id);
    }
  }
}

function chooser(chosen: Wish["chosen"]): (letter: LetterFacts) => boolean {
  if (chosen.kind === "all") return () => true;
  if (chosen.kind === "error") return (letter) => keyOfLetter(letter) === chosen.key;
  const ids = new Set(chosen.ids);
  return ({ id }) => ids.has(id);
}

const addCounts = (one: Counts, other: Counts): Counts => ({
  done: one.done + other.done,
  added: one.added + other.added,
  skipped: one.skipped + other.skipped,
  missing: one.missing + other.missing,
});
