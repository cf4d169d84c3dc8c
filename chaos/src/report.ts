/** The report of the rounds, for people and for programs. */

import { noWaits, WAIT_CLASSES } from "./liveness/bounds.ts";
import { type LivenessVerdict, mergeLongest } from "./liveness/liveness.ts";
import { type MemorySummary, summariseMemory } from "./memory.ts";
import type { FaultKind } from "./plan.ts";
import type { Round } from "./run.ts";

/** The last line of output. */
export interface Summary {
  readonly seed: number;
  readonly rounds: number;
  readonly confirmed: number;
  readonly acknowledged: number;
  readonly deadLettered: number;
  readonly destroyed: number;
  readonly lost: number;
  /** Those of the lost messages that failovers took back, because no producer waited for replicas. */
  readonly forgotten: number;
  readonly duplicates: number;
  readonly explainedDuplicates: number;
  /** How many messages were completed before an earlier one of their order key; not there without `--order-by`. */
  readonly outOfOrder: number | undefined;
  /** The longest time that a message waited while a healthy worker was free, by its state. */
  readonly longestWaitMs: LivenessVerdict["longestWaitMs"];
  /** How many messages waited for too long. */
  readonly overdue: number;
  /** Seeds of rounds in which the machine stalled so often that the waits cannot be judged. */
  readonly void: readonly number[];
  readonly faults: Readonly<Partial<Record<FaultKind, number>>>;
  /** Seeds of the failed rounds; each can be replayed alone. */
  readonly failed: readonly number[];
  readonly memory: MemorySummary;
}

export function hasFailed({ verdict, failures }: Round): boolean {
  return verdict.problems.length > 0 || failures.length > 0;
}

export function summarise(seed: number, rounds: readonly Round[]): Summary {
  const sum = (pick: (round: Round) => number): number => rounds.reduce((total, round) => total + pick(round), 0);
  const faults: Partial<Record<FaultKind, number>> = {};
  for (const round of rounds) {
    for (const [kind, count] of Object.entries(round.faults) as [FaultKind, number][]) {
      faults[kind] = (faults[kind] ?? 0) + count;
    }
  }
  return {
    seed,
    rounds: rounds.length,
    confirmed: sum(({ verdict }) => verdict.confirmed),
    acknowledged: sum(({ verdict }) => verdict.acknowledged),
    deadLettered: sum(({ verdict }) => verdict.deadLettered),
    destroyed: sum(({ verdict }) => verdict.destroyed),
    lost: sum(({ verdict }) => verdict.lost),
    forgotten: sum(({ verdict }) => verdict.forgotten.length),
    duplicates: sum(({ verdict }) => verdict.duplicates),
    explainedDuplicates: sum(({ verdict }) => verdict.explainedDuplicates),
    outOfOrder: rounds[0]?.verdict.outOfOrder === undefined ? undefined : sum(({ verdict }) => verdict.outOfOrder ?? 0),
    longestWaitMs: rounded(mergeLongest(rounds.map((round) => round.longestWaitMs))),
    overdue: sum(({ overdue }) => overdue),
    void: rounds.filter((round) => round.void !== undefined).map((round) => round.seed),
    faults,
    failed: rounds.filter(hasFailed).map((round) => round.seed),
    memory: summariseMemory(rounds.map(({ memory }) => memory)),
  };
}

/** One round in a few lines; a failed one with the histories that show why. */
export function renderRound(round: Round): string {
  const { seed, verdict, faults, findings, failures, processes, monitorMoves, memory, elapsedMs } = round;
  const { explanations } = verdict;
  const { longestWaitMs, overdue, stalledMs } = round;
  const waits = WAIT_CLASSES.map((name) => `${name} ${Math.round(longestWaitMs[name])} ms`);
  const struck = Object.entries(faults).map(([kind, count]) => `${kind} ${count}`);
  const lines = [
    `seed ${seed}: ${hasFailed(round) ? "FAILED" : "passed"} after ${(elapsedMs / 1_000).toFixed(1)} s`,
    `  ${verdict.confirmed} confirmed: ${verdict.acknowledged} acknowledged, ${verdict.deadLettered} deadLettered, ` +
      `${verdict.destroyed} destroyed by faults, ${verdict.lost} lost` +
      (verdict.forgotten.length === 0 ? "" : ` (${verdict.forgotten.length} by failovers, before replicas had them)`),
    `  ${verdict.duplicates} processed again: ${explanations.died} because a process died, ` +
      `${explanations.lease} because a lease expired, ${explanations.held} because they were held too long, ` +
      `${explanations.drained} because a drain did not wait, ${explanations.failover} because of a failover, ` +
      `${verdict.duplicates - verdict.explainedDuplicates} unexplained`,
    ...(verdict.outOfOrder === undefined
      ? []
      : [`  ${verdict.outOfOrder} completed before an earlier one of their key`]),
    round.void === undefined
      ? `  longest waits while a worker was free: ${waits.join(", ")}; ${overdue} overdue ` +
        `(the machine stalled for ${Math.round(stalledMs)} ms)`
      : `  void, the waits are not judged: ${round.void}`,
    `  ${processes} worker processes, at most ${memory.maxMiB} MiB; the monitors moved or removed ` +
      `something ${monitorMoves} times; faults: ${struck.join(", ")}`,
    ...memory.lasting.map(
      ({ firstThirdMiB, lastThirdMiB, firstThirdHeapMiB, lastThirdHeapMiB }) =>
        `  a process that survived: ${firstThirdMiB} MiB in the first third, ${lastThirdMiB} MiB in the last; ` +
        `its heap ${firstThirdHeapMiB} and ${lastThirdHeapMiB} MiB`,
    ),
    ...failures.map((failure) => `  ! ${failure}`),
    ...findings.flatMap(({ kind, key, id, text, history }) => [
      `  ! ${kind}: ${key} (${id}): ${text}`,
      ...history.map((line) => `      ${line}`),
    ]),
  ];
  if (verdict.problems.length > findings.length) {
    const counts = Map.groupBy(verdict.problems, ({ kind }) => kind);
    lines.push(`  ! in total ${[...counts].map(([kind, { length }]) => `${kind} ${length}`).join(", ")}`);
  }
  if (hasFailed(round)) lines.push(`  replay: pnpm chaos --seed ${seed}, with the same other arguments`);
  return lines.join("\n");
}

function rounded(waits: LivenessVerdict["longestWaitMs"]): LivenessVerdict["longestWaitMs"] {
  const round = noWaits();
  for (const name of WAIT_CLASSES) round[name] = Math.round(waits[name]);
  return round;
}
