/** KEDA's triggers delivered by the HorizontalPodAutoscaler: KEDA itself only starts the first and stops the last pod. */

import type { Policy, PolicyInput, PolicyRun } from "../policy.ts";
import type { Scenario } from "../scenario.ts";
import { desiredReplicas, Hpa } from "./hpa.ts";

interface Sample {
  readonly atMs: number;
  /** Messages that were ever added to the stream. */
  readonly added: number;
}

interface Triggers {
  /** Entries of lag per replica. */
  readonly lag: number;
  /** Messages per second and replica of a second trigger; `null`: there is none. */
  readonly rate: number | null;
  /** Pending entries per replica of a further trigger; `null`: there is none. */
  readonly pending: number | null;
}

const COOLDOWN_MS = 300_000;
const RATE_WINDOW_MS = 120_000;
const ACTIVE_RATE = 0.001;
// The best of six, from a half to three batches, on seeds 101 and 102.
const PENDING_SHARE = 1;

/** The documented example: the redis-streams trigger with a lag of 10, everything else by default. */
export const kedaLag: Policy = {
  name: "keda-lag",
  title: "KEDA's redis-streams trigger, lagCount 10, and the HPA's algorithm",
  interval: 15,
  wakesAfter: null,
  start: (scenario) => new KedaRun({ lag: 10, rate: null, pending: null }, scenario),
};

/**
 * What an expert makes of it: a rate trigger with the true rate per consumer typed in by hand (times 0.75), and one for
 * a tenth of the objective's worth of backlog.
 */
export const kedaExpert: Policy = {
  name: "keda-expert",
  title: "KEDA with a rate trigger and a backlog trigger, both tuned by hand to the scenario's true rate",
  interval: 15,
  wakesAfter: null,
  start(scenario) {
    const { batchSize, overhead, work, objective } = scenario;
    const perSecond = batchSize / (overhead + batchSize * work.mean);
    const lag = Math.max(1, Math.round(0.1 * objective * perSecond));
    return new KedaRun({ lag, rate: 0.75 * perSecond, pending: null }, scenario);
  },
};

/**
 * What people use: the redis-streams trigger by pending entries, and a second one by lag, without Prometheus. An expert chose the
 * number of pending entries that a consumer has when it is as busy as it should be.
 */
export const kedaPending: Policy = {
  name: "keda-pending",
  title:
    "KEDA with redis-streams triggers by pending entries and by lag, both tuned by hand to batch size and true rate",
  interval: 15,
  wakesAfter: null,
  start(scenario) {
    const { batchSize, overhead, work, objective } = scenario;
    const perSecond = batchSize / (overhead + batchSize * work.mean);
    const lag = Math.max(1, Math.round(0.1 * objective * perSecond));
    return new KedaRun({ lag, rate: null, pending: Math.max(1, PENDING_SHARE * batchSize) }, scenario);
  },
};

class KedaRun implements PolicyRun {
  readonly #triggers: Triggers;
  readonly #minimum: number;
  readonly #hpa = new Hpa();
  readonly #samples: Sample[] = [];
  #activeAtMs = Number.NEGATIVE_INFINITY;
  #looks = 0;

  constructor(triggers: Triggers, { minConsumers }: Scenario) {
    this.#triggers = triggers;
    this.#minimum = minConsumers;
  }

  decide(input: PolicyInput): number {
    const { nowMs, current, pending } = input;
    this.#looks++;
    // go-redis hands an unknown lag on as -1.
    const lag = input.lag ?? -1;
    const perSecond = this.#ratePerSecond({ atMs: nowMs, added: input.observe().added });
    const isPending = this.#triggers.pending !== null && pending > 0;
    const isActive = lag > 0 || isPending || (this.#triggers.rate !== null && perSecond > ACTIVE_RATE);
    // KEDA polls every 30 s, the HPA decides every 15 s.
    const isPoll = this.#looks % 2 === 0;
    if (isActive && (isPoll || this.#minimum > 0)) this.#activeAtMs = nowMs;
    if (current === 0) return isPoll && isActive ? 1 : 0;
    if (this.#minimum === 0 && isPoll && !isActive && nowMs - this.#activeAtMs > COOLDOWN_MS) {
      this.#hpa.reset();
      return 0;
    }
    const byLag = desiredReplicas(lag, this.#triggers.lag, current);
    const byRate = this.#triggers.rate === null ? 0 : desiredReplicas(perSecond, this.#triggers.rate, current);
    const byPending = this.#triggers.pending === null ? 0 : desiredReplicas(pending, this.#triggers.pending, current);
    return this.#hpa.step(Math.max(byLag, byRate, byPending), current, nowMs);
  }

  /** What arrived per second over the window; 0 in the first pass, and after the stream was created again. */
  #ratePerSecond(latest: Sample): number {
    const samples = this.#samples;
    // One older than the window is kept if there is no other to compare with.
    while (samples.length > 1 && (samples[0]?.atMs ?? 0) < latest.atMs - RATE_WINDOW_MS) samples.shift();
    samples.push(latest);
    const first = samples[0] ?? latest;
    if (first === latest) return 0;
    return Math.max(0, ((latest.added - first.added) * 1_000) / (latest.atMs - first.atMs));
  }
}
