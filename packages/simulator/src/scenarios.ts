/** The traces that policies are tried on. */

import type { Scenario } from "./scenario.ts";

/**
 * The values that a trace does not change: two hours, an objective of 30 s, 1 to 40 consumers that take 14 s to start and
 * process 20 messages in 1.1 s.
 */
export const SCENARIO_DEFAULTS: Omit<Scenario, "name" | "title" | "rate"> = {
  seconds: 7_200,
  objective: 30,
  minConsumers: 1,
  maxConsumers: 40,
  firstConsumers: 1,
  batchSize: 20,
  linger: 5,
  prefetch: 1,
  heartbeatSeconds: 5,
  partitions: null,
  overhead: 0.1,
  work: { mean: 0.05, variation: 1 },
  startUp: { mean: 14, variation: 0.4 },
  warmUp: { seconds: 15, factor: 1.5 },
  unlikeness: 0.1,
  grace: 30,
  leaseSeconds: 60,
  maxDeliveries: 5,
  drift: 0,
  bursts: null,
  slowdown: () => 1,
  downstream: () => Number.POSITIVE_INFINITY,
  crashes: [],
  restartAfter: 20,
  poison: null,
  isLagUnknown: () => false,
  isSilent: () => false,
  scalerRestarts: [],
  recreatedAt: Number.POSITIVE_INFINITY,
};

const within = (at: number, from: number, to: number): boolean => at >= from && at < to;

/** 60/s for four minutes, once in every 25 minutes. */
function visits(at: number, seed: number): number {
  const visit = Math.floor(at / 1_500);
  const begins = 200 + ((visit * 7_919 + seed * 131) % 700);
  return within(at - visit * 1_500, begins, begins + 240) ? 60 : 0;
}

function ramp(at: number): number {
  if (at < 600) return 20;
  if (at < 4_200) return 20 + (280 * (at - 600)) / 3_600;
  return at < 5_400 ? 300 : 40;
}

/** The built-in traces; `pnpm generate` publishes the results of the policies on them. */
export const SCENARIOS: readonly Scenario[] = [
  {
    ...SCENARIO_DEFAULTS,
    name: "step",
    title: "40/s, then 200/s for 40 minutes, then 40/s",
    firstConsumers: 3,
    rate: (at) => (within(at, 1_200, 3_600) ? 200 : 40),
  },
  { ...SCENARIO_DEFAULTS, name: "ramp", title: "20/s growing to 300/s, then 40/s", firstConsumers: 2, rate: ramp },
  {
    ...SCENARIO_DEFAULTS,
    name: "diurnal",
    title: "a day in two hours, 10/s to 220/s, 15 % noise",
    drift: 0.15,
    rate: (at) => 10 + 105 * (1 - Math.cos((2 * Math.PI * at) / 7_200)),
  },
  {
    ...SCENARIO_DEFAULTS,
    name: "burst",
    title: "30/s, with bursts of 2,000 to 8,000 messages within seconds",
    firstConsumers: 2,
    rate: () => 30,
    bursts: { every: 600, messages: [2_000, 8_000], seconds: [3, 20] },
  },
  {
    ...SCENARIO_DEFAULTS,
    name: "flapping",
    title: "one minute 30/s, one minute 120/s, and so on",
    firstConsumers: 3,
    rate: (at) => (Math.floor(at / 60) % 2 === 0 ? 30 : 120),
  },
  {
    ...SCENARIO_DEFAULTS,
    name: "slow",
    title: "90/s; processing takes three times as long for half an hour",
    firstConsumers: 6,
    rate: () => 90,
    slowdown: (at) => (within(at, 1_800, 3_600) ? 3 : 1),
  },
  {
    ...SCENARIO_DEFAULTS,
    name: "bottleneck",
    title: "120/s; the system behind the consumers takes only 70/s for 40 minutes",
    firstConsumers: 9,
    rate: () => 120,
    downstream: (at) => (within(at, 1_800, 4_200) ? 70 : Number.POSITIVE_INFINITY),
  },
  {
    ...SCENARIO_DEFAULTS,
    name: "crash",
    title: "120/s; half of the consumers crash, later all, later ten of them one by one",
    firstConsumers: 9,
    rate: () => 120,
    crashes: [
      { at: 1_500, share: 0.5 },
      { at: 3_300, share: 1 },
      ...Array.from({ length: 10 }, (_, index) => ({ at: 5_000 + 60 * index, share: "one" as const })),
    ],
  },
  {
    ...SCENARIO_DEFAULTS,
    name: "cold",
    title: "no load, with visits of 60/s for four minutes; from 0 consumers, which take a minute to start",
    firstConsumers: 0,
    minConsumers: 0,
    objective: 120,
    startUp: { mean: 60, variation: 0.3 },
    rate: visits,
  },
  {
    ...SCENARIO_DEFAULTS,
    name: "trickle",
    title: "one message every 100 s, and 3/s for 40 minutes; from 0 consumers",
    firstConsumers: 0,
    minConsumers: 0,
    objective: 60,
    seconds: 14_400,
    rate: (at) => (within(at, 6_000, 8_400) ? 3 : 0.01),
  },
  {
    ...SCENARIO_DEFAULTS,
    name: "poison",
    title: "80/s; for 40 minutes, one message in 100 fails five times, after 5 s each",
    firstConsumers: 5,
    rate: () => 80,
    poison: { from: 1_200, to: 3_600, share: 0.01, seconds: 5 },
  },
  {
    ...SCENARIO_DEFAULTS,
    name: "longjob",
    title: "batches that take 20 s; 1.2/s, and 4/s for half an hour",
    firstConsumers: 7,
    objective: 180,
    batchSize: 5,
    overhead: 0.5,
    work: { mean: 4, variation: 0.6 },
    rate: (at) => (within(at, 2_400, 4_200) ? 4 : 1.2),
  },
  {
    ...SCENARIO_DEFAULTS,
    name: "tight",
    title: "100/s, and 160/s for half an hour; 25 % noise, objective 4 s",
    firstConsumers: 7,
    objective: 4,
    linger: 0.2,
    drift: 0.25,
    rate: (at) => (within(at, 3_600, 5_400) ? 160 : 100),
  },
  {
    ...SCENARIO_DEFAULTS,
    name: "overhead",
    title: "60/s, and 180/s for 40 minutes; each batch of up to 100 takes a second, however small",
    firstConsumers: 2,
    batchSize: 100,
    overhead: 1,
    work: { mean: 0.01, variation: 1 },
    linger: 0.5,
    rate: (at) => (within(at, 2_400, 4_800) ? 180 : 60),
  },
  {
    ...SCENARIO_DEFAULTS,
    name: "sparse",
    title: "a job of 8 s every 25 s, and every 8 s for 80 minutes; objective 35 s",
    objective: 35,
    seconds: 14_400,
    batchSize: 1,
    linger: 0,
    overhead: 0.2,
    work: { mean: 8, variation: 0.6 },
    rate: (at) => (within(at, 4_800, 9_600) ? 0.12 : 0.04),
  },
  {
    ...SCENARIO_DEFAULTS,
    name: "chaos",
    title: "100/s; lag unknown, heartbeats lost, scaler restarted, stream created again",
    firstConsumers: 7,
    rate: () => 100,
    isLagUnknown: (at) => within(at, 1_800, 2_700),
    isSilent: (at) => within(at, 4_200, 4_800),
    scalerRestarts: [3_600, 5_400],
    recreatedAt: 6_000,
  },
  {
    ...SCENARIO_DEFAULTS,
    name: "quick",
    title: "25/s, with 120/s for two minutes every ten; consumers start within two seconds, objective 10 s",
    firstConsumers: 2,
    objective: 10,
    linger: 1,
    startUp: { mean: 1.5, variation: 0.3 },
    warmUp: { seconds: 2, factor: 1.5 },
    rate: (at) => (at % 600 >= 300 && at % 600 < 420 ? 120 : 25),
  },
  {
    ...SCENARIO_DEFAULTS,
    name: "late-step",
    title: "40/s, then 120/s, then 200/s, then 40/s; consumers take two minutes to start",
    firstConsumers: 3,
    startUp: { mean: 120, variation: 0.25 },
    rate: (at) => (within(at, 1_200, 5_400) ? (at < 3_300 ? 120 : 200) : 40),
  },
  {
    ...SCENARIO_DEFAULTS,
    name: "late-day",
    title: "a day in two hours, 10/s to 220/s, 15 % noise; consumers take two minutes to start",
    firstConsumers: 2,
    drift: 0.15,
    startUp: { mean: 120, variation: 0.25 },
    rate: (at) => 10 + 105 * (1 - Math.cos((2 * Math.PI * at) / 7_200)),
  },
  {
    ...SCENARIO_DEFAULTS,
    name: "partitions",
    title:
      "12 partitions; 60/s, 170/s for half an hour, and 260/s, more than twelve consumers can do, for three minutes",
    firstConsumers: 4,
    partitions: 12,
    rate: (at) => (within(at, 1_800, 3_600) ? 170 : within(at, 5_000, 5_180) ? 260 : 60),
  },
];
