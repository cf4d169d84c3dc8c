import type { SCRIPTS } from "../lua/scripts.generated.ts";
import type { Argument } from "./command.ts";

/** One atomic operation: which Lua script runs, on which keys, with what. Pure. */
export interface Script<Options, Result> {
  readonly name: keyof typeof SCRIPTS;
  /** All in the stream's own slot. */
  keys(options: Options): string[];
  encode(options: Options): Argument[];
  /** @throws {ReplyShapeError} on a shape that the script does not return */
  decode(reply: unknown, options: Options): Result;
}

/**
 * An operation on any number of messages, each of them atomic and not all together: it runs once for each part of them,
 * one part after the other. When one fails, those before it are done.
 */
export interface ScriptInParts<Options, Result> extends Script<Options, Result> {
  /** The options of each run; none when there is nothing to do. */
  split(options: Options): readonly Options[];
  merge(results: readonly Result[]): Result;
}
