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
