import { bytesOfName } from "../names.ts";

/** What may stand in a command: bytes as they are, text as UTF-8 but for the bytes in a name, numbers in decimal. */
export type Argument = string | Buffer | number;

/** The arguments as they can be written: a name that is not UTF-8 as its bytes. (No payload has halves of pairs.) */
export function withBytes(args: readonly Argument[]): readonly Argument[] {
  return args.every(isWritable) ? args : args.map((arg) => (isWritable(arg) ? arg : bytesOfName(arg)));
}

function isWritable(arg: Argument): arg is Exclude<Argument, string> {
  return typeof arg !== "string" || arg.isWellFormed();
}

/** One Redis command: how its arguments are written and how its reply is read. Pure. */
export interface Command<Options, Result> {
  /** Lower case, as ioredis's own tables spell it. */
  readonly name: string;
  encode(options: Options): Argument[];
  /** @throws {ReplyShapeError} on a shape that no server we know sends */
  decode(reply: unknown, options: Options): Result;
}
