import { expect, it } from "vitest";
import { Failure } from "../failure.ts";
import type { InputLine } from "../messages/lines.ts";
import { readRates } from "./read-rates.ts";

async function* lines(...texts: string[]): AsyncGenerator<InputLine> {
  for (const [index, text] of texts.entries()) yield { number: index + 1, text };
}

it("leaves out the heading and what is empty", async () => {
  expect(await readRates(lines("", "time,rate", "0,1", "  ", "1.5,2", ""))).toEqual([
    { at: 0, perSecond: 1 },
    { at: 1.5, perSecond: 2 },
  ]);
});

it("ends with the line that is one too many, and reads no further", async () => {
  let taken = 0;
  async function* endless(): AsyncGenerator<InputLine> {
    for (;;) yield { number: ++taken, text: `${taken},1` };
  }
  const failure = await readRates(endless(), 3).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(Failure);
  expect((failure as Failure).message).toBe('line 4 is not a rate: a trace has at most 3 rates: "4,1"');
  expect(taken).toBe(4);
});
