/** The messages of a run: when each arrives and what it costs. The same for every policy. */

import { lognormal, normal, poisson, seededChance } from "./chance.ts";
import type { Scenario } from "./scenario.ts";

export interface Traffic {
  readonly count: number;
  /** When each message arrives, in seconds, ascending. */
  readonly arrivesAt: Float64Array;
  /** How long it keeps a consumer busy, in seconds. */
  readonly work: Float32Array;
  /** 1 if it fails every time. */
  readonly isPoison: Uint8Array;
}

// Correlation of the drifting rate from one second to the next.
const PERSISTENCE = 0.99;
const QUIET_EDGE = 300;
// Some ten milliseconds' worth.
const MESSAGES_PER_STEP = 20_000;

export function generateTraffic(scenario: Scenario, seed: number): Traffic {
  const steps = generateTrafficInSteps(scenario, seed);
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
  }
}

/** The same in steps, so that other work can run in between: yields how far it is, in seconds of the trace. */
export function* generateTrafficInSteps(scenario: Scenario, seed: number): Generator<number, Traffic, void> {
  const random = seededChance(seed * 7_919 + (nameHash(scenario.name) % 100_000));
  const counts = countsPerSecond(scenario, seed, random);
  const count = counts.reduce((sum, each) => sum + each, 0);
  const traffic: Traffic = {
    count,
    arrivesAt: new Float64Array(count),
    work: new Float32Array(count),
    isPoison: new Uint8Array(count),
  };
  let index = 0;
  let pauseAt = MESSAGES_PER_STEP;
  for (const [second, inSecond] of counts.entries()) {
    if (index >= pauseAt) {
      pauseAt = index + MESSAGES_PER_STEP;
      yield second;
    }
    const moments = Array.from({ length: inSecond }, () => second + random()).toSorted((a, b) => a - b);
    for (const at of moments) {
      traffic.arrivesAt[index] = at;
      traffic.work[index] = lognormal(random, scenario.work.mean, scenario.work.variation);
      const { poison } = scenario;
      if (poison !== null && at >= poison.from && at < poison.to && random() < poison.share) {
        traffic.isPoison[index] = 1;
        traffic.work[index] = poison.seconds;
      }
      index++;
    }
  }
  return traffic;
}

function countsPerSecond({ seconds, rate, drift, bursts }: Scenario, seed: number, random: () => number): number[] {
  let deviation = 0;
  const rates = Array.from({ length: seconds }, (_, second) => {
    if (drift > 0) {
      deviation = deviation * PERSISTENCE + Math.sqrt(1 - PERSISTENCE ** 2) * drift * normal(random);
    }
    return Math.max(0, rate(second, seed) * (1 + deviation));
  });
  const counts = rates.map((each) => poisson(random, each));
  if (bursts === null) return counts;
  const between = ([least, most]: readonly [number, number]): number => least + random() * (most - least);
  for (let at = QUIET_EDGE + random() * QUIET_EDGE; at < seconds - QUIET_EDGE; at += bursts.every * (0.5 + random())) {
    const messages = between(bursts.messages);
    const length = Math.round(between(bursts.seconds));
    for (let second = Math.floor(at); second < Math.floor(at) + length; second++) {
      counts[second] = (counts[second] ?? 0) + Math.round(messages / length);
    }
  }
  return counts;
}

/** So that scenarios do not share their chance. */
function nameHash(name: string): number {
  let hash = 7;
  for (const letter of name) hash = (hash * 31 + letter.charCodeAt(0)) | 0;
  return hash >>> 0;
}
