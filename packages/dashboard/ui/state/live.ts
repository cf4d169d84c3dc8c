/** What the server tells by itself: what each look saw, and why there is no news. */
import { computed, signal } from "@preact/signals";
import { compareRows, type OverviewRow } from "../../src/decisions/overview.ts";
import type { Look, Trouble } from "../../src/watch/watcher.ts";
import { addressOf } from "./api.ts";

/** A group's rates during the last minutes, the newest last. */
export interface Spark {
  readonly in: (number | null)[];
  readonly out: (number | null)[];
}

type LookMessage = Look & {
  readonly sparks?: readonly {
    readonly stream: string;
    readonly group: string;
    readonly in: Spark["in"];
    readonly out: Spark["out"];
  }[];
};

const SPARK_POINTS = 24;
const POINT_MS = 10_000;
// Longer than any interval between two looks that somebody would choose to watch.
const SILENT_AFTER_MS = 15_000;
const REOPEN_MS = 1_500;

export const rows = signal<readonly OverviewRow[]>([]);
/** The number of the last look; 0 before the first. */
export const look = signal(0);
export const lookInfo = signal<Pick<Look, "atMs" | "durationMs" | "idle" | "troubles"> | null>(null);
/** Why the server has no news of Redis; `null` if it has. */
export const trouble = signal<Trouble | null>(null);
/** Whether the connection to the dashboard's server stands. */
export const isConnected = signal(false);
/** When something last came, by the clock of this page. */
export const heardAt = signal(0);
/** Goes up each second, for what shows how long ago something was. */
export const seconds = signal(0);
export const isSilent = computed(() => seconds.value >= 0 && performance.now() - heardAt.value > SILENT_AFTER_MS);

const byKey = new Map<string, OverviewRow>();
const sparks = new Map<string, Spark>();
let sparkBucket = 0;
/** Goes up when the sparklines have a new point. */
export const sparkTick = signal(0);

export const keyOf = (row: { readonly stream: string; readonly group: string }): string =>
  JSON.stringify([row.stream, row.group]);

export const sparkOf = (key: string): Spark => sparks.get(key) ?? { in: [], out: [] };

let source: EventSource | null = null;
let ticking: ReturnType<typeof setInterval> | undefined;
let reopening: ReturnType<typeof setTimeout> | undefined;

/** @param onClosed called when the server refuses, because the session may have ended */
export function startWatching(onClosed: () => void): void {
  if (source !== null) return;
  clearTimeout(reopening);
  ticking ??= setInterval(() => seconds.value++, 1_000);
  const opened = new EventSource(addressOf("live"));
  source = opened;
  opened.addEventListener("open", () => {
    isConnected.value = true;
    heardAt.value = performance.now();
  });
  opened.addEventListener("look", ({ data }: MessageEvent<string>) => takeLook(JSON.parse(data) as LookMessage));
  opened.addEventListener("trouble", ({ data }: MessageEvent<string>) => {
    heardAt.value = performance.now();
    trouble.value = JSON.parse(data) as Trouble;
  });
  opened.addEventListener("error", () => {
    isConnected.value = false;
    if (opened.readyState !== EventSource.CLOSED) return;
    stopWatching();
    reopening = setTimeout(onClosed, REOPEN_MS);
  });
}

export function stopWatching(): void {
  source?.close();
  source = null;
  isConnected.value = false;
}

function takeLook(news: LookMessage): void {
  heardAt.value = performance.now();
  trouble.value = null;
  // All of it after a reconnect: the server may have begun again.
  if (news.sparks !== undefined) byKey.clear();
  for (const row of news.rows) byKey.set(keyOf(row), row);
  if (news.groups !== null) {
    const there = new Set(news.groups.map(([stream, group]) => JSON.stringify([stream, group])));
    for (const key of byKey.keys()) if (!there.has(key)) byKey.delete(key);
  }
  takeSparks(news);
  const { atMs, durationMs, idle, troubles } = news;
  lookInfo.value = { atMs, durationMs, idle, troubles };
  rows.value = [...byKey.values()].toSorted(compareRows);
  look.value = news.look;
}

function takeSparks({ sparks: all, atMs }: LookMessage): void {
  const bucket = Math.floor(atMs / POINT_MS);
  if (all !== undefined) {
    sparks.clear();
    for (const { stream, group, in: ins, out } of all) sparks.set(keyOf({ stream, group }), { in: ins, out });
  } else {
    const isNew = bucket !== sparkBucket;
    for (const [key, row] of byKey) {
      const spark = sparks.get(key) ?? { in: [], out: [] };
      sparks.set(key, { in: added(spark.in, row.inPerSecond, isNew), out: added(spark.out, row.outPerSecond, isNew) });
    }
    if (!isNew) return;
  }
  sparkBucket = bucket;
  sparkTick.value++;
}

function added(values: (number | null)[], value: number | null, isNew: boolean): (number | null)[] {
  if (!isNew && values.length > 0) values[values.length - 1] = value;
  else values.push(value);
  return values.length > SPARK_POINTS ? values.slice(-SPARK_POINTS) : values;
}
