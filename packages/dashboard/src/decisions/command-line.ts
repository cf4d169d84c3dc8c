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
