/** An error the server replied with; inside an array reply (EXEC) it is a value, at the top it is thrown. */
export class ReplyError extends Error {
  override readonly name = "ReplyError";
  /** The first word, such as `WRONGTYPE`. */
  readonly code: string;

  constructor(message: string) {
    super(message);
    this.code = message.split(" ", 1)[0] ?? "";
  }
}

/** A RESP2 reply: text as strings, integers as numbers (bigint past 2^53), missing as `null`. */
export type Reply = string | number | bigint | null | ReplyError | readonly Reply[];

/** One word of a command; bytes go out as they are. */
export type CommandArgument = string | number | bigint | Uint8Array;

export function encodeCommand(args: readonly CommandArgument[]): Buffer {
  const parts: Buffer[] = [Buffer.from(`*${args.length}\r\n`)];
  for (const argument of args) {
    const bytes = argument instanceof Uint8Array ? Buffer.from(argument) : Buffer.from(String(argument));
    parts.push(Buffer.from(`$${bytes.length}\r\n`), bytes, Buffer.from("\r\n"));
  }
  return Buffer.concat(parts);
}

export interface DecodedReply {
  readonly reply: Reply;
  /** Where the next reply begins. */
  readonly end: number;
}

/**
 * Reads one reply that begins at `start`; `undefined` when the bytes do not hold all of it yet.
 *
 * @throws {Error} when the bytes are no RESP2 reply.
 */
export function decodeReply(bytes: Buffer, start = 0): DecodedReply | undefined {
  const lineEnd = bytes.indexOf("\r\n", start);
  if (lineEnd === -1) return undefined;
  const type = String.fromCharCode(bytes[start] ?? 0);
  const line = bytes.toString("utf8", start + 1, lineEnd);
  const end = lineEnd + 2;
  switch (type) {
    case "+":
      return { reply: line, end };
    case "-":
      return { reply: new ReplyError(line), end };
    case ":":
      return { reply: decodeInteger(line), end };
    case "$":
      return decodeBulk(bytes, Number(line), end);
    case "*":
      return decodeArray(bytes, Number(line), end);
    default:
      throw new Error(`not a RESP2 reply: it begins with ${JSON.stringify(type + line.slice(0, 40))}`);
  }
}

function decodeInteger(text: string): number | bigint {
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : BigInt(text);
}

function decodeBulk(bytes: Buffer, length: number, start: number): DecodedReply | undefined {
  if (length === -1) return { reply: null, end: start };
  const end = start + length + 2;
  return bytes.length < end ? undefined : { reply: bytes.toString("utf8", start, start + length), end };
}

function decodeArray(bytes: Buffer, length: number, start: number): DecodedReply | undefined {
  if (length === -1) return { reply: null, end: start };
  const items: Reply[] = [];
  let end = start;
  while (items.length < length) {
    const item = decodeReply(bytes, end);
    if (item === undefined) return undefined;
    items.push(item.reply);
    end = item.end;
  }
  return { reply: items, end };
}
