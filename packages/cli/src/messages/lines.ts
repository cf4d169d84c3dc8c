import { isUtf8 } from "node:buffer";

/** One line of the input, from 1. */
export interface InputLine {
  readonly number: number;
  /** `null` if it cannot be text: not UTF-8, or too long. */
  readonly text: string | null;
  readonly why?: string;
  /** The beginning of a line that cannot be read. */
  readonly start?: string;
}

/**
 * Longer lines are refused, so that a file without line ends is not held in memory. A value of 10 MiB fits, even if
 * each of its bytes is written as a six-character escape.
 */
const LONGEST_LINE_BYTES = 67_108_864;

const NEWLINE = 0x0a;
const RETURN = 0x0d;
const SHOWN_BYTES = 200;

/** Splits bytes into lines, without line ends. Holds at most one line. */
export async function* readLines(
  source: AsyncIterable<Buffer>,
  longestBytes: number = LONGEST_LINE_BYTES,
): AsyncGenerator<InputLine, void, undefined> {
  let number = 0;
  let parts: Buffer[] = [];
  let bytes = 0;
  const take = (end: Buffer): InputLine => {
    number++;
    const line = finishLine(number, [...parts, end], bytes + end.length, longestBytes);
    [parts, bytes] = [[], 0];
    return line;
  };
  for await (const chunk of source) {
    let from = 0;
    for (let at = chunk.indexOf(NEWLINE); at >= 0; at = chunk.indexOf(NEWLINE, from)) {
      yield take(chunk.subarray(from, at));
      from = at + 1;
    }
    const rest = chunk.subarray(from);
    bytes += rest.length;
    // Only the beginning of a line that is too long is kept, to show it.
    if (rest.length > 0 && bytes - rest.length <= longestBytes) parts.push(rest);
  }
  if (bytes > 0) yield take(Buffer.alloc(0));
}

function finishLine(number: number, parts: readonly Buffer[], bytes: number, longestBytes: number): InputLine {
  if (bytes > longestBytes) {
    const start = Buffer.concat(parts.slice(0, 1)).subarray(0, SHOWN_BYTES).toString();
    return { number, text: null, why: `it is longer than ${longestBytes} bytes`, start };
  }
  const whole = parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts);
  const line = whole.at(-1) === RETURN ? whole.subarray(0, -1) : whole;
  if (isUtf8(line)) return { number, text: line.toString() };
  return { number, text: null, why: "it is not UTF-8", start: line.subarray(0, SHOWN_BYTES).toString() };
}
