/** A trace made from recorded rates. */

import { ConfigError } from "@redis-batch/core";
import type { Scenario } from "./scenario.ts";
import { SCENARIO_DEFAULTS } from "./scenarios.ts";

/** The rate from one point on. */
export interface TracePoint {
  /** In seconds; only the differences count. */
  readonly at: number;
  /** Messages per second from then on, until the next point. */
  readonly perSecond: number;
}

/** How long a trace may be, and how many messages it may have: each is simulated, and that must end some time. */
export const TRACE_LIMITS = { seconds: 604_800, messages: 10_000_000 } as const;

// How busy the first consumers should be.
const FIRST_UTILISATION = 0.8;

/**
 * Makes a trace from recorded rates: in each second as many messages arrive as the points say, scattered at random. The last
 * rate holds for as long as the one before it.
 *
 * @param points at least two, each later than the one before; at most a week and ten million messages
 * @param changes what differs from `SCENARIO_DEFAULTS`: the work of a message, the start of a consumer, the objective …
 *   `firstConsumers` is by default as many as the first rate keeps busy at 80 %, within the least and the most.
 * @throws {ConfigError} naming every problem
 *
 * @example
 * ```ts
 * import { compare, POLICIES, traceScenario } from "@redis-batch/simulator";
 *
 * const points = [{ at: 0, perSecond: 20 }, { at: 60, perSecond: 90 }, { at: 120, perSecond: 20 }];
 * const scenario = traceScenario(points, { work: { mean: 0.1, variation: 1 }, maxConsumers: 20 });
 * for await (const { policy, violationPercent, consumerHours } of compare({
 *   policies: POLICIES,
 *   scenarios: [scenario],
 *   seeds: [1],
 * })) {
 *   console.log(policy, violationPercent, consumerHours);
 * }
 * ```
 */
export function traceScenario(
  points: readonly TracePoint[],
  changes: Partial<Omit<Scenario, "rate" | "seconds">> = {},
): Scenario {
  const problems = problemsOf(points);
  if (problems.length > 0) throw new ConfigError("traceScenario", problems);
  const perSecond = ratesPerSecond(points);
  const scenario: Scenario = {
    ...SCENARIO_DEFAULTS,
    name: "trace",
    title: "recorded rates",
    seconds: perSecond.length,
    rate: (at) => perSecond[Math.floor(at)] ?? 0,
    ...changes,
  };
  const { minConsumers, maxConsumers } = scenario;
  const needed = Math.max(minConsumers, Math.min(maxConsumers, neededAt(perSecond[0] ?? 0, scenario)));
  return { ...scenario, firstConsumers: changes.firstConsumers ?? needed };
}

function neededAt(perSecond: number, { overhead, batchSize, work }: Scenario): number {
  return Math.ceil((perSecond * (overhead / batchSize + work.mean)) / FIRST_UTILISATION);
}

function problemsOf(points: readonly TracePoint[]): readonly string[] {
  if (points.length < 2) return ["two points at least are needed: the last rate holds as long as the one before it"];
  for (const [index, { at, perSecond }] of points.entries()) {
    const before = points[index - 1]?.at ?? Number.NEGATIVE_INFINITY;
    if (!Number.isFinite(at) || at <= before) return [`points[${index}].at must be a time later than the one before`];
    if (!Number.isFinite(perSecond) || perSecond < 0) return [`points[${index}].perSecond must be 0 or more`];
  }
  const spans = spansOf(points);
  const seconds = spans.reduce((sum, span) => sum + span.seconds, 0);
  const messages = spans.reduce((sum, span) => sum + span.seconds * span.perSecond, 0);
  const problems: string[] = [];
  if (seconds > TRACE_LIMITS.seconds) {
    problems.push(`the trace must not be longer than ${TRACE_LIMITS.seconds} s, and is ${Math.ceil(seconds)} s long`);
  }
  if (messages > TRACE_LIMITS.messages) {
    problems.push(`the trace must have ${TRACE_LIMITS.messages} messages at most, and has ${Math.ceil(messages)}`);
  }
  return problems;
}

interface Span {
  readonly from: number;
  readonly seconds: number;
  readonly perSecond: number;
}

/** How long each rate holds, from the first one on. */
function spansOf(points: readonly TracePoint[]): readonly Span[] {
  const first = points[0]?.at ?? 0;
  return points.map(({ at, perSecond }, index) => {
    const next = points[index + 1]?.at;
    const seconds = next === undefined ? at - (points[index - 1]?.at ?? at) : next - at;
    return { from: at - first, seconds, perSecond };
  });
}

/** The mean rate of each whole second, so that no shorter peak is lost. */
function ratesPerSecond(points: readonly TracePoint[]): Float64Array {
  const spans = spansOf(points);
  const { from, seconds } = spans.at(-1) as Span;
  const rates = new Float64Array(Math.ceil(from + seconds));
  for (const span of spans) {
    const to = span.from + span.seconds;
    for (let second = Math.floor(span.from); second < Math.min(to, rates.length); second++) {
      const overlap = Math.min(to, second + 1) - Math.max(span.from, second);
      rates[second] = (rates[second] as number) + overlap * span.perSecond;
    }
  }
  return rates;
}
