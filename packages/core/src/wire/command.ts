import { bytesOfName } from "../names/names.ts";

/** What may stand in a command: bytes as they are, text as UTF-8 but for the bytes in a name, numbers in decimal. */
export type Argument = string | Buffer | number;

/** A name as it can be written: its bytes, where it is not UTF-8. */
export function nameArgument(name: string): string | Buffer {
  return name.isWellFormed() ? name : bytesOfName(name);
}

/** The same for every argument. No payload has halves of surrogate pairs. */
export function withBytes(args: readonly Argument[]): readonly Argument[] {
  if (!args.some((arg) => typeof arg === "string" && !arg.isWellFormed())) return args;
  return args.map((arg) => (typeof arg === "string" ? nameArgument(arg) : arg));
}

/** One Redis command: how its arguments are written and how its reply is read. Pure. */
export interface Command<Options, Result> {
  /** Lower case, as ioredis's own tables spell it. */
  readonly name: string;
  encode(options: Options): Argument[];
  /** @throws {ReplyShapeError} on a shape that no server we know sends */
  decode(reply: unknown, options: Options): Result;
}
