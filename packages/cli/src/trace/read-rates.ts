/** The rates of a trace, from the lines of its file. */
import { Failure } from "../failure.ts";
import type { InputLine } from "../messages/lines.ts";
import { escapeText, truncateText } from "../render/escape.ts";
import { parseRateLine, type Rate } from "./rate-line.ts";

/** Longer lines are refused. */
export const LONGEST_RATE_LINE_BYTES = 10_000;
// A week has 604,800 seconds.
const MOST_RATES = 1_000_000;
const SHOWN_CHARACTERS = 120;
const FIX = 'a line is {"time":0,"rate":12.5} or 0,12.5: a time, and the messages per second from then on';

/** @throws {Failure} with the number and the beginning of the first line that cannot be read, or exceeds the limit */
export async function readRates(lines: AsyncIterable<InputLine>, most: number = MOST_RATES): Promise<readonly Rate[]> {
  const rates: Rate[] = [];
  let isFirst = true;
  for await (const { number, text, why, start } of lines) {
    if (text?.trim() === "") continue;
    const refuse = (reason: string): never => {
      const shown = escapeText(truncateText(text ?? start ?? "", SHOWN_CHARACTERS));
      throw new Failure("usage", `line ${number} is not a rate: ${reason}: "${shown}"`, FIX);
    };
    if (text === null) return refuse(why ?? "");
    const read = parseRateLine(text);
    const isHeading = read.kind === "heading" && isFirst;
    isFirst = false;
    if (isHeading) continue;
    if (read.kind !== "rate") return refuse(read.kind === "heading" ? "a heading must come first" : read.why);
    if (read.at <= (rates.at(-1)?.at ?? Number.NEGATIVE_INFINITY))
      return refuse("its time must be later than the line before");
    if (rates.length === most) return refuse(`a trace has at most ${most} rates`);
    rates.push({ at: read.at, perSecond: read.perSecond });
  }
  return rates;
}
