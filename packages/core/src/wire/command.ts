import { bytesOfName } from "../names/names.ts";

/** An argument of a command: bytes unchanged, text as UTF-8 (except for bytes in a name), numbers in decimal. */
export type Argument = string | Buffer | number;

/** A name as an argument: as bytes if it is not UTF-8. */
export function nameArgument(name: string): string | Buffer {
  return name.isWellFormed() ? name : bytesOfName(name);
}

/** The same for every argument. Payloads never contain half of a surrogate pair. */
export function withBytes(args: readonly Argument[]): readonly Argument[] {
  if (!args.some((arg) => typeof arg === "string" && !arg.isWellFormed())) return args;
  return args.map((arg) => (typeof arg === "string" ? nameArgument(arg) : arg));
}

/** One Redis command: encodes its arguments and decodes its reply. Pure. */
export interface Command<Options, Result> {
  /** Lower case, as ioredis's own tables spell it. */
  readonly name: string;
  encode(options: Options): Argument[];
  /** @throws {ReplyShapeError} on a shape that no known server sends */
  decode(reply: unknown, options: Options): Result;
}
