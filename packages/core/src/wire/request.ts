/** Requests in the wire format (RESP): one array of bulk strings each, one after the other. */
import type { Argument } from "./command.ts";

// Large enough for a thousand ordinary messages, and far below the limit of a V8 string.
const PIECE_LENGTH = 1_048_576;

/** Many calls of one command, in pieces to be written one after the other. Text is written as UTF-8, bytes unchanged. */
export function encodeRequests(
  name: string,
  calls: readonly (readonly Argument[])[],
  pieceLength: number = PIECE_LENGTH,
): readonly (string | Buffer)[] {
  const pieces: (string | Buffer)[] = [];
  let text = "";
  for (const args of calls) {
    text += `*${args.length + 1}\r\n${bulk(name)}`;
    for (const arg of args) {
      if (typeof arg !== "object") text += bulk(typeof arg === "string" ? arg : String(arg));
      else {
        pieces.push(`${text}$${arg.length}\r\n`, arg);
        text = "\r\n";
      }
      if (text.length >= pieceLength) {
        pieces.push(text);
        text = "";
      }
    }
  }
  if (text !== "") pieces.push(text);
  return pieces;
}

function bulk(text: string): string {
  return `$${Buffer.byteLength(text)}\r\n${text}\r\n`;
}
