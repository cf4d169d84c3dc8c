/**
 * `pnpm soak [--minutes n] [--groups n] [--consumers n] [--watchers n]`: a dashboard of 1,000 groups with 5 consumers each,
 * for ten minutes, with a browser and others who watch. Progress goes to stderr; the last line of stdout is JSON. Exit
 * codes: 0 passed, 1 memory grew or the page was late, 2 wrong arguments.
 */
import { parseArgs } from "node:util";
import { findChromium, RedisServer } from "@redis-batch/test-support";
import { chromium } from "playwright-core";
import { buildPage } from "./build-page.ts";
import { growthOf, median, watchManyGroups } from "./many-groups.ts";

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "10" },
    groups: { type: "string", default: "1000" },
    consumers: { type: "string", default: "5" },
    watchers: { type: "string", default: "20" },
  },
});
const [minutes = 0, groups = 0, consumers = 0, watchers = 0] = [
  ...[values.minutes, values.groups, values.consumers, values.watchers],
].map(Number);
if (!(minutes > 0 && groups >= 1 && consumers >= 0 && watchers >= 0)) {
  console.error("usage: pnpm soak [--minutes n] [--groups n] [--consumers n] [--watchers n]");
  process.exit(2);
}

const INTERVAL_MS = 2_000;
const LOOKS_PER_SAMPLE = 5;
// Trends and sparklines are full after four minutes.
const WARM_UP_RATIO = 0.4;
const MOST_PAINT_MS = 2_000;
const MOST_GROWTH_MIB = 2;

const found = await findChromium();
if ("skipReason" in found) throw new Error(found.skipReason);
await buildPage();
await using server = await RedisServer.start();
const browser = await chromium.launch({ executablePath: found.path, args: ["--no-sandbox"] });
const looks = (minutes * 60_000) / INTERVAL_MS;
const measured = await watchManyGroups(
  {
    ...{ groups, consumers, watchers, intervalMs: INTERVAL_MS, warmUpLooks: Math.ceil(looks * WARM_UP_RATIO) },
    ...{ samples: Math.ceil((looks * (1 - WARM_UP_RATIO)) / LOOKS_PER_SAMPLE), looksPerSample: LOOKS_PER_SAMPLE },
  },
  {
    ...{ server, tell: (line: string) => console.error(line) },
    open: async (url) => {
      const page = await browser.newPage();
      await page.goto(url);
      return page;
    },
  },
);
await browser.close();
const { firstPaintMs, wallPaintMs, lookMs, dashboardMiB, buffersMiB, pageMiB, sentMiB } = measured;
const memory = Object.entries({ dashboardMiB, buffersMiB, pageMiB }).map(
  ([name, samples]) => [name, { median: median(samples), growth: growthOf(samples) }] as const,
);
const passed = firstPaintMs < MOST_PAINT_MS && memory.every(([, { growth }]) => growth < MOST_GROWTH_MIB);
console.log(
  JSON.stringify({
    ...{ passed, minutes, groups, consumers, watchers, firstPaintMs, wallPaintMs, sentMiB },
    ...{ looks: lookMs.length, medianLookMs: median(lookMs), slowestLookMs: Math.max(...lookMs) },
    ...Object.fromEntries(memory),
  }),
);
process.exitCode = passed ? 0 : 1;
