/** What may stand in a command: bytes as they are, text as UTF-8, numbers in decimal. */
export type Argument = string | Buffer | number;

/** One Redis command: how its arguments are written and how its reply is read. Pure. */
export interface Command<Options, Result> {
  /** Lower case, as ioredis's own tables spell it. */
  readonly name: string;
  encode(options: Options): Argument[];
  /** @throws {ReplyShapeError} on a shape that no server we know sends */
  decode(reply: unknown, options: Options): Result;
}
