/** A report as a table for people. */
import { describeDuration } from "../decisions/duration.ts";
import type { Backlog, ConsumerReport, GroupReport, MonitorReport } from "../report.ts";
import { columnsOf, printable } from "./printable.ts";

export interface TableOptions {
  /** Whether to add a paragraph about the group, and more columns. Default `false`: the layout of the Python original. */
  readonly wide?: boolean;
}

interface Column {
  readonly title: string;
  readonly align: "left" | "right";
  readonly cell: (consumer: ConsumerReport) => string;
}

const orDash = (value: number | null): string => (value === null ? "-" : `${value}`);

const IDENTITY: readonly Column[] = [
  { title: "Consumer id", align: "right", cell: ({ consumer }) => printable(consumer) },
  { title: "Idle time", align: "right", cell: ({ idleMs }) => `${idleMs}` },
];
const PENDING: Column = { title: "Pending items", align: "right", cell: ({ pending }) => `${pending}` };
const STATUS: Column = { title: "Status", align: "left", cell: ({ status }) => status };
const ORIGINAL: readonly Column[] = [...IDENTITY, PENDING, STATUS];
const WIDE: readonly Column[] = [
  ...IDENTITY,
  { title: "Inactive", align: "right", cell: ({ inactiveMs }) => orDash(inactiveMs) },
  PENDING,
  { title: "Oldest pending", align: "right", cell: ({ oldestPendingAgeMs }) => orDash(oldestPendingAgeMs) },
  { title: "Capacity", align: "right", cell: ({ capacity }) => `${capacity}` },
  { title: "In flight", align: "right", cell: ({ inFlight }) => orDash(inFlight) },
  { title: "Behind keys", align: "right", cell: ({ parked }) => orDash(parked) },
  { title: "Busy", align: "right", cell: ({ busyShare }) => percent(busyShare) },
  { title: "Registered", align: "left", cell: ({ foreign }) => (foreign ? "no (foreign)" : "yes") },
  { title: "Host", align: "left", cell: ({ host }) => (host === null ? "-" : printable(host)) },
  { title: "Process", align: "right", cell: ({ pid }) => orDash(pid) },
  STATUS,
  { title: "Reason", align: "left", cell: ({ reason }) => printable(reason) },
];

/**
 * The consumers of the report, one line each: id, idle time in milliseconds, pending items, status. With several groups
 * there is one table for each, below its name; a group that is paused has its name and the reason above its table as well. `wide` adds a paragraph about the group, and all details of each consumer.
 * Control characters in names are escaped. Ends without a line break.
 */
export function renderTable(report: MonitorReport, { wide = false }: TableOptions = {}): string {
  if (report.groups.length === 0) {
    const what = report.length === null ? "the stream does not exist" : "the stream has no such group";
    return `${printable(report.stream)}: ${what}`;
  }
  const tables = report.groups.map((group) => {
    const table = grid(wide ? WIDE : ORIGINAL, group.consumers);
    if (wide) return `${describeGroup(report, group)}\n${table}`;
    // The original knew no pauses, and a table of idle consumers must not hide one.
    const why = group.pause === null ? "" : ` (${printable(group.reason)})`;
    const isNamed = report.groups.length > 1 || group.pause !== null;
    return isNamed ? `${printable(group.group)}: ${group.health}${why}\n${table}` : table;
  });
  const warnings = wide ? report.retention.warnings.map((warning) => `WARNING: ${printable(warning)}`) : [];
  return [...tables, ...warnings].join("\n\n");
}

function describeGroup({ stream }: MonitorReport, group: GroupReport): string {
  const {
    backlog,
    pending,
    deadLetters,
    oldestWaitingAgeMs,
    oldestPendingAgeMs,
    inPerSecond,
    outPerSecond,
    released,
    later,
  } = group;
  const age = (ms: number | null): string => (ms === null ? "" : ` (the oldest is ${describeDuration(ms)} old)`);
  return [
    `${printable(stream)} / ${printable(group.group)}: ${group.health} (${printable(group.reason)})`,
    `waiting ${describeBacklog(backlog)}${age(oldestWaitingAgeMs)} · pending ${pending}${age(oldestPendingAgeMs)}` +
      ` · dead letters ${deadLetters} · in ${rate(inPerSecond)} · out ${rate(outPerSecond)}`,
    ...(released.messages === 0
      ? []
      : [`released ${released.messages}, for any consumer${since(released.oldestMs, "for")}`]),
    ...(later.messages === 0
      ? []
      : [`deferred ${later.messages}, until they are due${since(later.overdueMs, "overdue for")}`]),
    `needs the stream from ${group.retention.neededFromId}${group.retention.pins ? ", and no group needs older entries" : ""}`,
  ].join("\n");
}

const since = (ms: number | null, what: string): string =>
  ms === null ? "" : ` (the first ${what} ${describeDuration(ms)})`;

function describeBacklog({ messages, source }: Backlog): string {
  if (messages === null) return "unknown";
  return source === "at least" ? `at least ${messages}` : `${messages}`;
}

const percent = (share: number | null): string => (share === null ? "-" : `${Math.round(share * 100)} %`);
const rate = (perSecond: number | null): string => (perSecond === null ? "unknown" : `${perSecond.toFixed(1)}/s`);

function grid(columns: readonly Column[], consumers: readonly ConsumerReport[]): string {
  const rows = consumers.map((consumer) => columns.map(({ cell }) => cell(consumer)));
  const widths = columns.map(({ title }, at) =>
    Math.max(title.length + 2, ...rows.map((row) => columnsOf(row[at] ?? ""))),
  );
  const rule = (stroke: string): string => `+${widths.map((width) => stroke.repeat(width + 2)).join("+")}+`;
  const line = (cells: readonly string[]): string => {
    const padded = cells.map((cell, at) => {
      const space = " ".repeat((widths[at] ?? 0) - columnsOf(cell));
      return columns[at]?.align === "right" ? ` ${space}${cell} ` : ` ${cell}${space} `;
    });
    return `|${padded.join("|")}|`;
  };
  const heading = [rule("-"), line(columns.map(({ title }) => title)), rule("=")];
  return [...heading, ...rows.flatMap((row) => [line(row), rule("-")])].join("\n");
}
