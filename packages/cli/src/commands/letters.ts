/** Shared by the commands on dead letters. */
import { type DeadLetter, DeadLetters, type LetterFilter, type LetterId } from "@redis-batch/core";
import { nullIfForbidden } from "@redis-batch/core/internal/errors";
import { parsePlacedId } from "@redis-batch/core/internal/messages";
import { onAbort } from "@redis-batch/core/internal/service";
import type { Invocation } from "../command.ts";
import { findServer, withClient } from "../connection/open.ts";
import { Failure } from "../failure.ts";
import { NOTHING_TO_DO } from "../plan.ts";
import { parseMoment } from "../point.ts";
import { findGroup } from "./find-group.ts";

const LETTERS_AT_ONCE = 1_000;
export const LISTED = "`redis-batch dead-letters list` shows all of them";

/** Whether it can be the id of a dead letter: in a stream with partitions, with its partition in front. */
export const isLetterId = (text: string): boolean => parsePlacedId(text) !== null;

type Call = Pick<Invocation, "options" | "terminal" | "signal"> & {
  readonly args: { readonly stream: string; readonly group: string };
};

/** Runs a function with the group's dead letters, and closes them afterwards. */
export async function withLetters<Result>(call: Call, run: (letters: DeadLetters) => Promise<Result>): Promise<Result> {
  const server = await findServer(call);
  const { stream, group } = call.args;
  await using letters = new DeadLetters({
    redis: server.redis,
    stream,
    group,
    connectTimeoutMs: server.connectTimeoutMs,
    observer: server.observe,
  });
  // Closing ends the call under way, also at a server that does not answer.
  const stopListening = onAbort(call.signal, () => void letters.close());
  try {
    return await run(letters);
  } catch (error) {
    if (call.signal.aborted) throw call.signal.reason;
    throw server.explain(error);
  } finally {
    stopListening();
  }
}

/**
 * Called if there are no dead letters: a mistyped name must not look like a group that never failed. Without the right
 * to read groups, nothing is refused.
 *
 * @throws {NoGroupError} when the stream or the group does not exist
 */
export async function refuseMissingGroup(call: Call): Promise<void> {
  const { stream, group } = call.args;
  await withClient(call, (client) => nullIfForbidden(findGroup(client, stream, group)));
}

interface Criteria {
  readonly reason: string | undefined;
  readonly error: string | undefined;
  readonly since: string | undefined;
  readonly before: string | undefined;
}

/** Makes the filter from the options; `undefined` if none is set. Times such as `2h` (ago) go by the local clock. */
export function filterOf({ reason, error, since, before }: Criteria): LetterFilter | undefined {
  const nowMs = Date.now();
  const criteria = {
    ...(reason === undefined ? {} : { reason }),
    ...(error === undefined ? {} : { error }),
    ...(since === undefined ? {} : { since: new Date(parseMoment("--since", since, nowMs)) }),
    ...(before === undefined ? {} : { before: new Date(parseMoment("--before", before, nowMs)) }),
  };
  return Object.keys(criteria).length === 0 ? undefined : criteria;
}

export type Chosen =
  | { readonly kind: "ids"; readonly ids: readonly LetterId[] }
  | { readonly kind: "filter"; readonly filter: LetterFilter };

/**
 * Decides which dead letters were selected.
 *
 * @throws {Failure} when nothing selects any, or more than one thing does
 */
export function choose(ids: readonly string[], options: Criteria & { readonly all: boolean }): Chosen {
  const filter = filterOf(options);
  const said = [ids.length > 0, filter !== undefined, options.all].filter(Boolean).length;
  if (said === 0)
    throw new Failure(
      "usage",
      "no dead letters are selected",
      "give ids, a filter (--reason, --error, --since, --before), or --all",
    );
  if (said > 1) throw new Failure("usage", "ids, a filter and --all exclude each other: give one of them");
  if (ids.length === 0) return { kind: "filter", filter: filter ?? "all" };
  const wrong = ids.filter((id) => !isLetterId(id)).join(", ");
  if (wrong !== "") throw new Failure("usage", `not the id of a dead letter: ${wrong}`, LISTED);
  return { kind: "ids", ids: [...new Set(ids)] };
}

/**
 * The plan: the selected dead letters, without their contents.
 *
 * @throws {Failure} when no dead letter has one of the ids
 */
export async function countChosen(call: Call, letters: DeadLetters, chosen: Chosen, limit: number) {
  const reasons = new Map<string, number>();
  let [letterCount, oldest, newest]: [number, string | null, string | null] = [0, null, null];
  for await (const letter of chosenLetters(letters, chosen, limit)) {
    letterCount++;
    newest = letter.at.toISOString();
    oldest ??= newest;
    reasons.set(letter.reason, (reasons.get(letter.reason) ?? 0) + 1);
  }
  if (letterCount === 0) {
    await refuseMissingGroup(call);
    if (chosen.kind === "ids") throw new Failure("missing", `there is no dead letter ${chosen.ids.join(", ")}`, LISTED);
  }
  return {
    nothing: letterCount === 0 ? NOTHING_TO_DO : undefined,
    facts: [
      { key: "letters", value: letterCount, unit: "count" },
      { key: "oldest", value: oldest },
      { key: "newest", value: newest },
    ] as const,
    table: {
      key: "reasons",
      columns: [{ key: "reason" }, { key: "letters", unit: "count" }] as const,
      rows: [...reasons].map(([reason, count]) => ({ reason, letters: count })),
      none: "No dead letters matched.",
    },
  };
}

export async function* chosenLetters(letters: DeadLetters, chosen: Chosen, limit: number): AsyncGenerator<DeadLetter> {
  if (chosen.kind === "ids") {
    for (const id of chosen.ids) yield* await find(letters, id);
    return;
  }
  let from: string | null | undefined;
  for (let left = limit; left > 0 && from !== null; ) {
    const page = await letters.list({
      filter: chosen.filter,
      limit: Math.min(left, LETTERS_AT_ONCE),
      ...(from === undefined ? {} : { from }),
    });
    yield* page.letters;
    left -= page.letters.length;
    from = page.next;
  }
}

/** The dead letter with this id, or nothing. */
export async function find(letters: DeadLetters, id: string): Promise<readonly DeadLetter[]> {
  const page = await letters.list({ from: id, limit: 1 });
  return page.letters.filter((letter) => letter.id === id);
}
