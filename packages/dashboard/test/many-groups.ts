/** A thousand groups, many who watch them, and what that costs: for a test, and for ten minutes of `pnpm soak`. */
import { fairNowMs, type RedisServer, runWorker, type WorkerProcess } from "@redis-batch/test-support";
import type { Page } from "playwright-core";

export interface ManyGroups {
  readonly groups: number;
  /** In each group, with heartbeats. */
  readonly consumers: number;
  /** Connections to `/api/live`, beside the page. */
  readonly watchers: number;
  readonly intervalMs: number;
  /** How many looks are not measured at first: trends and charts fill up. */
  readonly warmUpLooks: number;
  readonly samples: number;
  readonly looksPerSample: number;
}

/** In MiB, and milliseconds. */
export interface Measured {
  /** From asking for the page until every group is on it. */
  readonly firstPaintMs: number;
  /** The same by the browser's own clock, on a machine as busy as it is. */
  readonly wallPaintMs: number;
  readonly lookMs: readonly number[];
  /** What objects take, after a collection. */
  readonly dashboardMiB: readonly number[];
  readonly buffersMiB: readonly number[];
  readonly pageMiB: readonly number[];
  /** What all watchers were sent meanwhile. */
  readonly sentMiB: number;
}

const GROUPS_IN_STREAM = 10;

// One call: from here it would be ten thousand round trips.
const FILL = `
  local groups, consumers, inStream = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
  local now = redis.call('TIME')
  local told = string.format('{"at":%.0f,"leaseMs":3600000,"incarnation":"i","state":"running","host":"box","pid":7,"capacity":200}',
    now[1] * 1000)
  for number = 0, groups - 1 do
    local stream, group = 'many:' .. math.floor(number / inStream), 'group-' .. number % inStream
    redis.call('XGROUP', 'CREATE', stream, group, '0', 'MKSTREAM')
    for one = 1, consumers do
      redis.call('XGROUP', 'CREATECONSUMER', stream, group, 'consumer-' .. one)
      redis.call('HSET', 'rb:{' .. stream .. '}:consumers:' .. string.gsub(stream, ':', '%%3A') .. ':' .. group, 'consumer-' .. one, told)
    end
  end
  return groups`;

// Something changes in every look: a tenth of the streams get a message.
const MOVE = `
  for number = 0, tonumber(ARGV[1]) - 1 do
    if number % 10 == tonumber(ARGV[2]) % 10 then redis.call('XADD', 'many:' .. number, 'MAXLEN', '~', 1000, '*', 'n', ARGV[2]) end
  end`;

interface Watching {
  readonly server: RedisServer;
  /** Opens a page of the browser. */
  readonly open: (url: string) => Promise<Page>;
  readonly tell?: (line: string) => void;
}

/** @throws {Error} when the dashboard ends */
export async function watchManyGroups(many: ManyGroups, { server, open, tell }: Watching): Promise<Measured> {
  const { groups, consumers, intervalMs, warmUpLooks, samples, looksPerSample } = many;
  const streams = Math.ceil(groups / GROUPS_IN_STREAM);
  const move = (turn: number): Promise<unknown> => server.command("EVAL", MOVE, 0, streams, turn);
  const ending = new AbortController();
  await server.command("EVAL", FILL, 0, groups, consumers, GROUPS_IN_STREAM);
  await using dashboard = await runWorker(new URL("dashboard.worker.ts", import.meta.url), {
    args: [server.url, String(intervalMs)],
  });
  const url = (await dashboard.waitForLine(/^url /)).slice("url ".length);
  await dashboard.waitForLine(new RegExp(`^looked \\d+ ${groups}$`), { timeoutMs: 30_000 });
  const watching = Array.from({ length: many.watchers }, () => watch(`${url}api/live`, ending.signal));
  try {
    const beganAtMs = fairNowMs();
    const page = await open(url);
    await page
      .locator("td.name")
      .nth(groups - 1)
      .waitFor();
    const firstPaintMs = Math.round(fairNowMs() - beganAtMs);
    const wallPaintMs = Math.round(await page.evaluate<number>("performance.now()"));
    await looks(dashboard, warmUpLooks, move);
    const measured = { dashboardMiB: [] as number[], buffersMiB: [] as number[], pageMiB: [] as number[] };
    for (let sample = 0; sample < samples; sample++) {
      await looks(dashboard, looksPerSample, move);
      const [objects = 0, buffers = 0] = await memoryOf(dashboard);
      const inPage = await memoryOfPage(page);
      measured.dashboardMiB.push(objects);
      measured.buffersMiB.push(buffers);
      measured.pageMiB.push(inPage);
      tell?.(`dashboard ${objects} MiB and ${buffers} MiB of buffers, page ${inPage.toFixed(2)} MiB`);
    }
    await page.close();
    ending.abort();
    const bytes = (await Promise.all(watching)).reduce((sum, one) => sum + one, 0);
    const lookMs = dashboard.lines.flatMap((line) => /^looked (\d+)/.exec(line)?.[1] ?? []).map(Number);
    return { firstPaintMs, wallPaintMs, lookMs, ...measured, sentMiB: bytes / 1_048_576 };
  } finally {
    ending.abort();
    await Promise.allSettled(watching);
  }
}

/** By how much memory has grown, from the first third of the samples to the last, in MiB. */
export function growthOf(samples: readonly number[]): number {
  const third = Math.max(Math.floor(samples.length / 3), 1);
  return median(samples.slice(-third)) - median(samples.slice(0, third));
}

export function median(values: readonly number[]): number {
  return values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)] ?? 0;
}

/** Waits for that many looks, each with something new to see. */
async function looks(dashboard: WorkerProcess, count: number, move: (turn: number) => Promise<unknown>): Promise<void> {
  for (let turn = 0; turn < count; turn++) {
    const after = dashboard.lines.length;
    await move(turn);
    await dashboard.waitForLine(/^looked /, { after });
  }
}

/** Reads what is sent, as a page does → how many bytes that was. */
async function watch(url: string, signal: AbortSignal): Promise<number> {
  let bytes = 0;
  try {
    const { body } = await fetch(url, { signal });
    for await (const chunk of body as ReadableStream<Uint8Array>) bytes += chunk.length;
  } catch (error) {
    if (!signal.aborted) throw error;
  }
  return bytes;
}

async function memoryOf(dashboard: WorkerProcess): Promise<readonly number[]> {
  const after = dashboard.lines.length;
  dashboard.send("memory");
  return (await dashboard.waitForLine(/^memory /, { after })).split(" ").slice(1).map(Number);
}

async function memoryOfPage(page: Page): Promise<number> {
  const session = await page.context().newCDPSession(page);
  await session.send("HeapProfiler.collectGarbage");
  const { usedSize } = await session.send("Runtime.getHeapUsage");
  await session.detach();
  return usedSize / 1_048_576;
}
