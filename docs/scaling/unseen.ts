/**
 * Traces that nobody looked at while the strategy was tuned: two of when real people committed to a real project, and shapes of which a
 * tuned rule could be afraid.
 */
import { readFileSync } from "node:fs";
import { SCENARIO_DEFAULTS, type Scenario, type TracePoint, traceScenario } from "@redis-batch/simulator";

function recorded(name: string): readonly TracePoint[] {
  const text = readFileSync(new URL(`traces/${name}.csv`, import.meta.url), "utf8");
  return text
    .trim()
    .split("\n")
    .slice(1)
    .map((line) => {
      const [at, perSecond] = line.split(",").map(Number);
      return { at: at ?? 0, perSecond: perSecond ?? 0 };
    });
}

const isWithin = (at: number, from: number, to: number): boolean => at >= from && at < to;

export const UNSEEN: readonly Scenario[] = [
  traceScenario(recorded("commits-week"), {
    name: "commits-week",
    title: "when the developers of Redis committed, by the hour of the week, an hour in 45 s; up to 240/s",
  }),
  traceScenario(recorded("commits-month"), {
    name: "commits-month",
    title: "30 days of these commits, an hour in 10 s; each of them 250 messages",
    firstConsumers: 2,
  }),
  {
    ...SCENARIO_DEFAULTS,
    name: "lunch",
    title: "120/s, and 30/s for half an hour",
    firstConsumers: 8,
    rate: (at) => (isWithin(at, 2_700, 4_500) ? 30 : 120),
  },
  {
    ...SCENARIO_DEFAULTS,
    name: "sawtooth",
    title: "20/s growing to 160/s every 20 minutes",
    firstConsumers: 2,
    rate: (at) => 20 + (140 * (at % 1_200)) / 1_200,
  },
  {
    ...SCENARIO_DEFAULTS,
    name: "spike",
    title: "40/s, and 300/s for 30 s every 30 minutes",
    firstConsumers: 3,
    rate: (at) => (isWithin(at % 1_800, 900, 930) ? 300 : 40),
  },
  {
    ...SCENARIO_DEFAULTS,
    name: "drift",
    title: "80/s; the work takes slowly up to twice as long, then at once 1.6 times as long for 40 minutes",
    firstConsumers: 5,
    rate: () => 80,
    slowdown: (at) => (at < 3_600 ? 1 + Math.sin((Math.PI * at) / 3_600) : isWithin(at, 4_200, 6_600) ? 1.6 : 1),
  },
  {
    ...SCENARIO_DEFAULTS,
    name: "hourly",
    title: "about one message an hour; from 0 consumers, objective 60 s",
    ...{ firstConsumers: 0, minConsumers: 0, objective: 60, seconds: 172_800 },
    rate: () => 1 / 3_600,
  },
];
