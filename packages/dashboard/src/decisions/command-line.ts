/** What somebody would type to do the same. */
import type { RateLimit } from "@redis-batch/core";
import { shellWord } from "@redis-batch/core/internal/names";
import { ANYONE } from "./access.ts";

// Longer lines do not fit everywhere.
const MOST_IDS = 200;

/** The command for some dead letters; `null` if they are too many to be named in one line. */
export function letterCommand(
  action: "redrive" | "discard",
  {
    stream,
    group,
    ids,
    isAll,
    addTrimmed,
    perSecond,
  }: {
    readonly stream: string;
    readonly group: string;
    readonly ids: readonly string[];
    /** Whether these are the oldest of all. */
    readonly isAll: boolean;
    readonly addTrimmed: boolean;
    /** 0: as fast as it goes. */
    readonly perSecond: number;
  },
): string | null {
  if (!isAll && ids.length > MOST_IDS) return null;
  const which = isAll ? ["--all", "--limit", String(ids.length)] : ids;
  const more = [
    ...(action === "redrive" && addTrimmed ? ["--if-trimmed", "add"] : []),
    ...(perSecond > 0 ? ["--rate", String(perSecond)] : []),
  ];
  return ["redis-batch dead-letters", action, shellWord(stream), shellWord(group), ...which, ...more, "--yes"].join(
    " ",
  );
}

/** What somebody does with a whole group. */
export type GroupAct =
  /** `forMs`: `null` is until somebody resumes it; `reason`: `null` is none. */
  | { readonly action: "pause"; readonly forMs: number | null; readonly reason: string | null }
  | { readonly action: "resume" }
  /** `null`: no rate, whatever the options of consumers say. */
  | { readonly action: "rate"; readonly limit: RateLimit | null };

/** The command that does the same with a group, as the one who does it here. */
export function groupCommand(
  act: GroupAct,
  { stream, group, who }: { readonly stream: string; readonly group: string; readonly who: string },
): string {
  return ["redis-batch group", act.action, shellWord(stream), shellWord(group), ...wordsOf(act, who)].join(" ");
}

function wordsOf(act: GroupAct, who: string): readonly string[] {
  switch (act.action) {
    case "pause":
      return [
        ...(act.forMs === null ? [] : ["--for", durationWord(act.forMs)]),
        // Otherwise the command names who is at the terminal, which is better.
        ...(who === ANYONE ? [] : ["--by", shellWord(who)]),
        ...(act.reason === null ? [] : ["--reason", shellWord(act.reason)]),
      ];
    case "resume":
      return [];
    case "rate":
      return act.limit === null
        ? ["--off"]
        : ["--messages", String(act.limit.messages), "--per", durationWord(act.limit.perMs)];
  }
}

const UNITS = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["m", 60_000],
  ["s", 1_000],
  ["ms", 1],
] as const;

/** As options take a time: `90s`, `30m`. */
function durationWord(ms: number): string {
  const [unit, size] = UNITS.find(([, length]) => ms % length === 0) ?? ["ms", 1];
  return `${ms / size}${unit}`;
}

/** The command that prints the same messages; `null` if there is none. */
export function peekCommand({
  stream,
  group,
  from,
  newestFirst,
  limit,
}: {
  readonly stream: string;
  /** Whose next messages these are; `null`: they are not chosen by a group. */
  readonly group: string | null;
  /** As in XRANGE; `null`: from the end of the stream that comes first. */
  readonly from: string | null;
  readonly newestFirst: boolean;
  readonly limit: number;
}): string | null {
  // --newest goes back to --from, not on from there.
  if (newestFirst && from !== null) return null;
  const words = [shellWord(stream), ...(group === null ? [] : [shellWord(group)])];
  const where = newestFirst ? ["--newest"] : from === null ? [] : ["--from", startOf(from)];
  return ["redis-batch peek", ...words, ...where, "-n", String(limit), "--json"].join(" ");
}

/** The command has no way to say "after this id": the next one that there can be is the same. */
function startOf(from: string): string {
  const [, excluded = "", ms = "", sequence = "0"] = /^(\()?(\d+)(?:-(\d+))?$/.exec(from) ?? [];
  return `${ms}-${excluded === "" ? sequence : BigInt(sequence) + 1n}`;
}
