/** The log beside each group: what its scaler ordered and why, and what people did here. */
import { PermissionError, WrongTypeError } from "@redis-batch/core";
import type { StreamClient } from "@redis-batch/core/internal/connection";
import { textOf } from "@redis-batch/core/internal/messages";
import { groupKey } from "@redis-batch/core/internal/names";

type Reader = Pick<StreamClient, "xrevrange">;

/** An order of the scaler, and what came of it. */
export interface ScalerOrder {
  readonly id: string;
  readonly atMs: number;
  readonly direction: string;
  readonly from: number;
  readonly to: number;
  readonly reason: string;
  readonly executor: string;
  /** The complete decision: its binding reason, terms and inputs. `null` if it cannot be read. */
  readonly decision: unknown;
  /** `null`: not known (yet). */
  readonly outcome: { readonly what: "done" } | { readonly what: "failed"; readonly error: string } | null;
}

/** One thing that somebody did here. */
export interface LoggedAction {
  readonly id: string;
  readonly atMs: number;
  readonly stream: string;
  readonly group: string;
  readonly who: string;
  readonly action: string;
  /** How many dead letters the plan had; `null`: it was about the group. */
  readonly letters: number | null;
  /** The command that does the same; `""` if there is none. */
  readonly command: string;
  /** `null`: not known (yet), or the dashboard ended meanwhile. */
  readonly outcome: { readonly done: number; readonly left: number; readonly error: string } | null;
}

// Entries of scaler and people share the log.
const ENTRIES = 400;
const FOR_WANTED = 8;

/** What was read; `null` if this user may not, or the log is something else: the rest can be shown all the same. */
export async function nullIfUnreadable<Result>(read: Promise<Result>): Promise<Result | null> {
  return read.catch((error: unknown) => {
    if (PermissionError.is(error) || WrongTypeError.is(error)) return null;
    throw error;
  });
}

/** The newest orders first. */
export async function readOrders(client: Reader, stream: string, group: string): Promise<readonly ScalerOrder[]> {
  const entries = await readLog(client, stream, group, ENTRIES);
  const outcomes = new Map<string, ScalerOrder["outcome"]>();
  return entries.flatMap(({ id, fields }) => {
    const key = `${fields["term"]} ${fields["sequence"]}`;
    if (fields["what"] === "done") outcomes.set(key, { what: "done" });
    if (fields["what"] === "failed") outcomes.set(key, { what: "failed", error: fields["error"] ?? "" });
    if (fields["what"] !== "order") return [];
    const { direction = "", reason = "", executor = "", from, to, decision = "" } = fields;
    return {
      ...{ id, atMs: timeOf(id), direction, reason, executor, from: Number(from), to: Number(to) },
      ...{ decision: parse(decision), outcome: outcomes.get(key) ?? null },
    };
  });
}

/** How many consumers the scaler of a group ordered last; `null` if it never did. */
export async function readWanted(client: Reader, stream: string, group: string): Promise<number | null> {
  const entries = await readLog(client, stream, group, FOR_WANTED);
  const order = entries.find(({ fields }) => fields["what"] === "order");
  return order === undefined ? null : Number(order.fields["to"]);
}

/** What was done here with a group, the newest first. */
export async function readActions(client: Reader, stream: string, group: string): Promise<readonly LoggedAction[]> {
  const entries = await readLog(client, stream, group, ENTRIES);
  const outcomes = new Map<string, LoggedAction["outcome"]>();
  return entries.flatMap(({ id, fields }) => {
    const { what, plan = "", who = "", action = "", letters, command = "", done, left, error = "" } = fields;
    if (what === "actionEnded") outcomes.set(plan, { done: Number(done), left: Number(left), error });
    if (what !== "action") return [];
    const outcome = outcomes.get(plan) ?? null;
    const counted = letters === undefined ? null : Number(letters);
    return { id, atMs: timeOf(id), stream, group, who, action, letters: counted, command, outcome };
  });
}

interface LogEntry {
  readonly id: string;
  readonly fields: Readonly<Record<string, string | undefined>>;
}

async function readLog(client: Reader, stream: string, group: string, count: number): Promise<readonly LogEntry[]> {
  const key = groupKey("audit", stream, group);
  const entries = await client.xrevrange({ stream: key, from: "-", to: "+", count });
  return entries.map((entry) => ({ id: entry.id, fields: textOf(entry) }));
}

const timeOf = (id: string): number => Number(id.split("-", 1)[0]);

function parse(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return null;
  }
}
