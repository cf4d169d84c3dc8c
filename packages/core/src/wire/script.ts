import type { SCRIPTS } from "../lua/scripts.generated.ts";
import type { Argument } from "./command.ts";

/** One atomic operation: a Lua script with its keys and arguments. Pure. */
export interface Script<Options, Result> {
  readonly name: keyof typeof SCRIPTS;
  /** All in the stream's slot. */
  keys(options: Options): string[];
  encode(options: Options): Argument[];
  /** @throws {ReplyShapeError} on a shape that the script does not return */
  decode(reply: unknown, options: Options): Result;
}

/**
 * An operation on any number of messages. It runs in parts, one after the other: each part is atomic, all together are
 * not. If one fails, the parts before it have been executed.
 */
export interface ScriptInParts<Options, Result> extends Script<Options, Result> {
  /** The options of each part; none if there is nothing to do. */
  split(options: Options): readonly Options[];
  merge(results: readonly Result[]): Result;
}
