import * as fc from "fast-check";
import { expect, test } from "vitest";
import { type InputLine, readLines } from "./lines.ts";

async function read(chunks: readonly (string | Buffer)[], longest?: number): Promise<InputLine[]> {
  async function* source() {
    for (const chunk of chunks) yield Buffer.from(chunk);
  }
  const lines: InputLine[] = [];
  for await (const line of readLines(source(), longest)) lines.push(line);
  return lines;
}

test("lines are the same however the bytes arrive", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.string({ unit: fc.constantFrom("a", "ü", "🎉", " ") })),
      fc.integer({ min: 1, max: 9 }),
      async (texts, size) => {
        const bytes = Buffer.from(texts.map((text) => `${text}\n`).join(""));
        const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, at) =>
          bytes.subarray(at * size, (at + 1) * size),
        );
        expect((await read(chunks)).map(({ text }) => text)).toEqual(texts);
      },
    ),
  );
});

test("the last line needs no end, and a carriage return is none of the text", async () => {
  expect(await read(["a\r\n\r\nb"])).toEqual([
    { number: 1, text: "a" },
    { number: 2, text: "" },
    { number: 3, text: "b" },
  ]);
  expect(await read([""])).toEqual([]);
});

test("a line that is not UTF-8, or too long, is reported with its number and its beginning, and what follows is read", async () => {
  const lines = await read([Buffer.from([0x61, 0xff, 0x0a]), "x".repeat(40), "x".repeat(40), "\nok\n"], 50);
  expect(lines).toEqual([
    { number: 1, text: null, why: "it is not UTF-8", start: "a\ufffd" },
    { number: 2, text: null, why: "it is longer than 50 bytes", start: "x".repeat(40) },
    { number: 3, text: "ok" },
  ]);
});
