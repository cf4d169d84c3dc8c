/** What the command line asks for. */
import { parseArgs } from "node:util";

export interface BenchOptions {
  /** The scenarios to run, in their own order. */
  readonly scenarios: readonly string[];
  /** Pairs of runs for each, after one to warm up. */
  readonly rounds: number;
  /** A fraction of the messages, and no warm-up pair. */
  readonly quick: boolean;
  /** Whether fewer rounds are all right where the machine is slow: not when their number was asked for. */
  readonly isHasty: boolean;
  readonly json: boolean;
  /** Replaces what docs/ has by this run. */
  readonly publish: boolean;
  /** The folder that holds the Python original's package. */
  readonly original: string | undefined;
}

/** The command line is not one; the text says what is. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** No round begins after so long in a hasty run, but the first of each scenario. */
export const QUICK_MS = 65_000;

/** @throws {UsageError} when the arguments make no sense */
export function parseBenchOptions(args: readonly string[], known: readonly string[]): BenchOptions {
  const { only = [], rounds, quick = false, json = false, publish = false, original } = parse(args);
  const stranger = only.find((name) => !known.includes(name));
  if (stranger !== undefined) throw new UsageError(`no scenario is called ${stranger}; there are ${known.join(", ")}`);
  if (rounds !== undefined && !/^[1-9]\d{0,3}$/.test(rounds)) {
    throw new UsageError(`--rounds must be a whole number from 1 to 9999, not ${rounds}`);
  }
  if (publish && only.length > 0) throw new UsageError("--publish is for all scenarios at once, without --only");
  return {
    scenarios: only.length === 0 ? known : known.filter((name) => only.includes(name)),
    rounds: Number(rounds ?? (quick ? 3 : 7)),
    quick,
    isHasty: quick && rounds === undefined,
    json,
    publish,
    original,
  };
}

function parse(args: readonly string[]) {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        only: { type: "string", multiple: true },
        rounds: { type: "string" },
        quick: { type: "boolean" },
        json: { type: "boolean" },
        publish: { type: "boolean" },
        original: { type: "string" },
      },
    });
    return values;
  } catch (cause) {
    throw new UsageError(cause instanceof Error ? cause.message : String(cause), { cause });
  }
}
