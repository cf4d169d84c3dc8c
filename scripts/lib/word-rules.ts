/** Words that nobody would say aloud to a colleague, or that only insiders understand, and what to write instead. */

/** A word or phrase, and a better one. */
export interface WordRule {
  /** Written with a small letter. Between two words there may be a line break, in a comment too. `|` separates forms. */
  readonly not: string;
  readonly but: string;
  /** Whether it is refused in Markdown pages only. */
  readonly pagesOnly?: boolean;
}

export const WORD_RULES: readonly WordRule[] = [
  // Nobody would say it.
  { not: "shall", but: "must, will or should" },
  { not: "anew", but: "again" },
  { not: "afresh", but: "again" },
  { not: "mend|mends|mended|mending", but: "fix" },
  { not: "has there be|have there be|there shall be", but: "scales to that number, needs" },
  { not: "on whose behalf ever", but: "whoever asked for it" },
  { not: "how it fares|how they fare", but: "its health" },
  { not: "tells more|tell more", but: "shows details" },
  { not: "for want of", but: "for lack of, without" },
  { not: "in good order", but: "cleanly" },
  { not: "by turns", but: "in turn" },
  { not: "heed|heeds|heeded", but: "follow, onDecision" },
  { not: "befalls", but: "happens to" },
  { not: "whence|thereof|wherein|hitherto|thither|hither", but: "from where, of it, where, so far" },
  { not: "comes again|come again|came again|coming again", but: "is redelivered, is repeated" },
  { not: "put off|puts off|putting off", but: "defer" },
  { not: "give back|gives back|gave back|given back|giving back", but: "release, return" },
  { not: "nobody's", but: "held by no consumer" },
  { not: "beats", but: "heartbeats" },
  { not: "no sooner than|no sooner", but: "not before, at the earliest" },
  { not: "in vain", but: "without success, nothing came" },
  { not: "lies behind|lie behind|lay behind", but: "is the system behind, causes" },
  { not: "hears out|hear out|hears of|hear of", but: "reads the reports of, learns" },
  { not: "at hand", but: "available" },
  // Private metaphors.
  { not: "undertaker", but: "dead-letter writer" },
  { not: "bury|buries|buried|burying|burial|burials", but: "move to the dead letters, dead-letter" },
  { not: "custody", but: "held messages" },
  { not: "farewell|farewells", but: "final report" },
  { not: "acquaintance|acquaintances", but: "recently seen" },
  { not: "outbox", but: "sender" },
  { not: "steadiness", but: "stability" },
  { not: "tells of|tell of", but: "reports" },
  { not: "so many", but: "that many, this number of" },
  { not: "whoever", but: "any consumer that, the person who" },
  // What a page must not say; comments are shorter, and may.
  { not: "is done with|are done with", but: "has finished", pagesOnly: true },
  { not: "is told|are told", but: "gets, is called with, is asked to", pagesOnly: true },
  { not: "stands still|stood still|standing still", but: "is frozen, has stopped", pagesOnly: true },
  { not: "what became of|what came of", but: "the result of", pagesOnly: true },
];

// Between the words of a phrase: blanks, and where a line ends also the mark of the next comment or quotation line.
const GAP = String.raw`(?:[^\S\n]+|[^\S\n]*\n[^\S\n]*(?:\*|//|--|#|>)?[^\S\n]*)`;
const ALLOWED = /allow-words\(([^)]*)\)/g;

/**
 * Where a text has one of the words: a line each, with the better word. `allow-words(shall, mend)` in a comment allows
 * words from its line to the next blank line, for a quotation.
 */
export function wordProblems(file: string, text: string, rules: readonly WordRule[] = WORD_RULES): string[] {
  const isPage = file.endsWith(".md");
  const applied = rules.filter(({ pagesOnly }) => isPage || pagesOnly !== true);
  const allowances = allowancesOf(text);
  return [...text.matchAll(patternOf(applied))].flatMap(({ 0: found, index, groups = {} }) => {
    const rule = applied.find((_, at) => groups[`w${at}`] !== undefined);
    const word = found.toLowerCase().replaceAll(new RegExp(GAP, "g"), " ");
    if (
      rule === undefined ||
      allowances.some(({ from, to, words }) => index >= from && index < to && words.has(word))
    ) {
      return [];
    }
    return [`${file}:${lineOf(text, index)}: "${word}": say ${rule.but}`];
  });
}

interface Allowance {
  readonly from: number;
  readonly to: number;
  readonly words: ReadonlySet<string>;
}

function allowancesOf(text: string): readonly Allowance[] {
  return Array.from(text.matchAll(ALLOWED), ({ index, 1: list = "" }) => {
    const end = text.indexOf("\n\n", index);
    const words = new Set(list.split(",").map((word) => word.trim().toLowerCase()));
    return { from: text.lastIndexOf("\n", index), to: end < 0 ? text.length : end, words };
  });
}

const patterns = new Map<string, RegExp>();

/** One pattern for all the rules, so that a text is gone through once; group `w<n>` is the n-th rule's. */
function patternOf(rules: readonly WordRule[]): RegExp {
  const key = rules.map(({ not }) => not).join("\n");
  const pattern =
    patterns.get(key) ??
    new RegExp(
      String.raw`(?<![\w-])(?:${rules.map(({ not }, at) => `(?<w${at}>${not.replaceAll(" ", GAP)})`).join("|")})(?![\w-])`,
      "gi",
    );
  patterns.set(key, pattern);
  return pattern;
}

function lineOf(text: string, index: number): number {
  return text.slice(0, index).split("\n").length;
}
