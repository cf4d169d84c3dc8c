/** What somebody would type to do the same. */
import { shellWord } from "@redis-batch/core/internal/names";

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
  }: {
    readonly stream: string;
    readonly group: string;
    readonly ids: readonly string[];
    /** Whether these are the oldest of all. */
    readonly isAll: boolean;
    readonly addTrimmed: boolean;
  },
): string | null {
  if (!isAll && ids.length > MOST_IDS) return null;
  const which = isAll ? ["--all", "--limit", String(ids.length)] : ids;
  const more = action === "redrive" && addTrimmed ? ["--if-trimmed", "add"] : [];
  return ["redis-batch dead-letters", action, shellWord(stream), shellWord(group), ...which, ...more, "--yes"].join(
    " ",
  );
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
