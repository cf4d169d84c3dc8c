/** A pause of a whole group: a field of its registry that every consumer reads with each heartbeat. */

/** The pause of a group, for all of its consumers. */
export interface GroupPause {
  /** Who paused it. */
  readonly by: string;
  /** Since when, by the server's clock, in milliseconds since 1970. */
  readonly sinceMs: number;
  /** When it ends by itself, by the same clock; `null`: when somebody resumes the group. */
  readonly untilMs: number | null;
  /** Why, in words; `null`: nobody said why. */
  readonly reason: string | null;
}

/** The field of the registry: a name that no consumer can have. */
export const PAUSE_FIELD = "rb:pause";

/** Reads the field. What another version wrote is read as far as possible; `null`: the group is not paused. */
export function parseGroupPause(text: string | undefined): GroupPause | null {
  if (text === undefined || text === "") return null;
  const written = parseObject(text);
  if (written === null) return null;
  const { by, at, until, reason } = written;
  return {
    by: typeof by === "string" ? by : "unknown",
    sinceMs: typeof at === "number" ? at : 0,
    untilMs: typeof until === "number" ? until : null,
    reason: typeof reason === "string" ? reason : null,
  };
}

/** The pause, unless it is over by now. */
export function pauseInForce(pause: GroupPause | null, serverNowMs: number): GroupPause | null {
  return pause === null || (pause.untilMs !== null && pause.untilMs <= serverNowMs) ? null : pause;
}

/** Who paused the group and why, as it reads after "it is" or "the group is". */
export function describePause({ by, reason }: Pick<GroupPause, "by" | "reason">): string {
  return `paused by ${by}${reason === null ? "" : ` (${reason})`}`;
}

function parseObject(text: string): Readonly<Record<string, unknown>> | null {
  try {
    const parsed: unknown = JSON.parse(text);
    return typeof parsed === "object" && parsed !== null ? (parsed as Readonly<Record<string, unknown>>) : null;
  } catch {
    return null;
  }
}
