import * as fc from "fast-check";
import { expect, test } from "vitest";
import { parseName } from "./names.ts";
import { shellWord } from "./shell-word.ts";

test.each([
  ["orders", "orders"],
  ["a b", "'a b'"],
  ["it's", "'it'\\''s'"],
  ["-v", "'-v'"],
  ["a\u001b[31m\u0000\n", "'a\\x1b[31m\\x00\\x0a'"],
  ["\u009b1m", "'\\xc2\\x9b1m'"],
])("%j is %s", (name, word) => {
  expect(shellWord(name)).toBe(word);
});

test("any name is one word without control characters, and the command line reads it back", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), fc.string({ unit: "binary-ascii" }), (some, more) => {
      const name = `${some}${more}`;
      const word = shellWord(name);
      expect(word).not.toMatch(/\p{Cc}/u);
      const unquoted = word.startsWith("'") ? word.slice(1, -1).replaceAll("'\\''", "'") : word;
      expect(parseName(unquoted)).toBe(name);
    }),
  );
});
