/** The screen of `monitor --watch`. */
import type { GroupReport, MonitorReport } from "@redis-batch/monitor";
import { escapeText } from "./escape.ts";
import { groupReport, healthTone } from "./group-report.ts";
import type { Paint } from "./paint.ts";
import { renderDuration, renderReport } from "./report.ts";
import { renderSparkline } from "./sparkline.ts";
import { clipWidth, displayWidth, fitWidth, padWidth } from "./width.ts";

/** What one snapshot adds to the curves. */
export interface Sample {
  readonly waiting: number | null;
  readonly inPerSecond: number | null;
  readonly outPerSecond: number | null;
}

export interface Frame {
  readonly report: MonitorReport;
  readonly group: GroupReport;
  readonly samples: readonly Sample[];
  readonly isPaused: boolean;
  /** The last event, or a question. */
  readonly message: string;
  /** The server's time now, as text. */
  readonly at: string;
  /** Age of the snapshot, in milliseconds; `null`: just now. */
  readonly ageMs: number | null;
}

interface Size {
  readonly width: number;
  readonly height: number;
}

export function sampleOf(group: GroupReport): Sample {
  return { waiting: group.backlog.messages, inPerSecond: group.inPerSecond, outPerSecond: group.outPerSecond };
}

/** Exactly as many lines as the screen has, none wider than it. */
export function renderFrame(frame: Frame, size: Size, paint: Paint): string[] {
  const { report, group, samples, at, ageMs } = frame;
  const { width } = size;
  // A group that was healthy then may not be healthy now.
  const state = ageMs === null ? group.health : `${renderDuration(ageMs)} ago: ${group.health}`;
  const title = titleOf(report.stream, group.group, width - state.length - 2);
  const tone = ageMs === null ? healthTone(group.health) : "warn";
  const health = tone === undefined ? state : paint(tone, state);
  const room = width - displayWidth(title) - state.length - 4;
  const { table, notes = [] } = groupReport(report, group);
  const consumers = renderReport({ ...(table === undefined ? {} : { table }), notes }, paint, width)
    .trimEnd()
    .split("\n");
  const curve = (name: string, value: string, values: readonly (number | null)[]): string =>
    `${name.padEnd(8)} ${padWidth(value, 12, "right")}  ${renderSparkline(values, Math.max(width - 24, 0))}`;
  const lines = [
    `${paint("strong", title)}  ${health}${room < 1 ? "" : `  ${paint("quiet", fitWidth(escapeText(group.reason), room))}`}`,
    "",
    curve(
      "waiting",
      `${group.backlog.source === "at least" ? "≥" : ""}${group.backlog.messages ?? "?"}`,
      samples.map(({ waiting }) => waiting),
    ),
    curve(
      "in",
      perSecond(group.inPerSecond),
      samples.map(({ inPerSecond }) => inPerSecond),
    ),
    curve(
      "out",
      perSecond(group.outPerSecond),
      samples.map(({ outPerSecond }) => outPerSecond),
    ),
    fitWidth(
      `pending ${group.pending}${age(group.oldestPendingAgeMs)}${nobodys(group)} · oldest waiting${age(group.oldestWaitingAgeMs) || " -"} · dead letters ${group.deadLetters}`,
      width,
    ),
    "",
    ...consumers,
  ];
  return fill(lines, at, frame, size, paint);
}

/** The same before the first snapshot. */
export function renderEmptyFrame(
  frame: Pick<Frame, "isPaused" | "message"> & { readonly stream: string; readonly group: string },
  size: Size,
  paint: Paint,
): string[] {
  return fill([paint("strong", titleOf(frame.stream, frame.group, size.width))], "", frame, size, paint);
}

const titleOf = (stream: string, group: string, width: number): string =>
  fitWidth(`${escapeText(stream)} / ${escapeText(group)}`, Math.max(width, 8));

/** Fills the screen, with the last event and the keys at the bottom. */
function fill(
  lines: readonly string[],
  at: string,
  { isPaused, message }: Pick<Frame, "isPaused" | "message">,
  { width, height }: Size,
  paint: Paint,
): string[] {
  const foot = [
    fitWidth(escapeText(message), width),
    fitWidth(`${at}${isPaused ? "  PAUSED" : ""}   p ${isPaused ? "continue" : "pause"} · c clean up · q quit`, width),
  ];
  const body = lines.slice(0, Math.max(height - foot.length, 0));
  const gap = Array.from({ length: Math.max(height - body.length - foot.length, 0) }, () => "");
  return [...body, ...gap, foot[0] ?? "", paint("quiet", foot[1] ?? "")]
    .slice(-height)
    .map((line) => clipWidth(line, width));
}

/** The pending messages that no consumer holds; empty if there are none. */
function nobodys({ released, later }: GroupReport): string {
  const parts = [
    released.messages === 0 ? "" : `released ${released.messages}${age(released.oldestMs)}`,
    later.messages === 0 ? "" : `deferred ${later.messages}`,
  ];
  return parts
    .filter((part) => part !== "")
    .map((part) => ` · ${part}`)
    .join("");
}

const perSecond = (rate: number | null): string => (rate === null ? "?" : `${rate.toFixed(1)}/s`);
const age = (ms: number | null): string => (ms === null ? "" : ` (${renderDuration(ms)})`);
