import { describe, expect, it } from "vitest";
import { WORD_RULES, wordProblems } from "./word-rules.ts";

const rules = [
  { not: "hark|harks", but: "listen" },
  { not: "of yore", but: "earlier" },
  { not: "perchance", but: "perhaps", pagesOnly: true },
];
const problems = (file: string, text: string): string[] => wordProblems(file, text, rules);

describe("wordProblems", () => {
  it("names file, line and the better word", () => {
    expect(problems("docs/a.md", "One line.\nHarks to it.\n")).toEqual(['docs/a.md:2: "harks": say listen']);
  });

  it.each([
    ["docs/a.md", "as it was of\nyore"],
    ["docs/a.md", "> as it was of\n> yore"],
    ["src/a.ts", "/**\n * as it was of\n * yore\n */"],
    ["src/a.ts", "// as it was of\n// yore"],
    ["src/a.lua", "-- as it was of\n-- yore"],
    ["a.sh", "# as it was of\n  # yore"],
  ])("finds a phrase that goes over the end of a line of %s: %j", (file, text) => {
    expect(problems(file, text)).toHaveLength(1);
  });

  it.each(["harken", "shark", "hark-back", "of yoreland", "of\n\nyore"])("leaves %j alone", (text) => {
    expect(problems("docs/a.md", text)).toEqual([]);
  });

  it("refuses some words in pages only", () => {
    expect(problems("docs/a.md", "perchance")).toHaveLength(1);
    expect(problems("src/a.ts", "// perchance")).toEqual([]);
  });

  it("finds every occurrence", () => {
    expect(problems("src/a.ts", '"hark"; // of yore\n// hark')).toHaveLength(3);
  });

  it("lets a quotation stand to the next blank line, and no other word in it", () => {
    const text = "<!-- allow-words(hark, of yore): a quotation -->\nHark, as of yore.\nHarks.\n\nHark.\n";
    expect(problems("docs/a.md", text)).toEqual([
      'docs/a.md:3: "harks": say listen',
      'docs/a.md:5: "hark": say listen',
    ]);
  });
});

describe("the rules", () => {
  it("name each word once, in small letters", () => {
    const words = WORD_RULES.flatMap(({ not }) => not.split("|"));
    expect(words).toEqual(words.map((word) => word.toLowerCase()));
    expect(new Set(words).size).toBe(words.length);
  });
});
