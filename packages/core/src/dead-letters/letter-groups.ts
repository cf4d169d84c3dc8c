/** Dead letters by what went wrong: errors that differ only in ids, numbers or times are one. */

/** What is known of one dead letter here. */
export interface LetterFacts {
  readonly id: string;
  readonly reason: string;
  readonly error: string;
  readonly atMs: number;
}

/** Dead letters with the same reason and the same error but for what differs in each. */
export interface LetterGroup {
  /** Names the group: of every dead letter in it, `keyOfLetter` is this. */
  readonly key: string;
  readonly reason: string;
  /** The error, with `…` for what differs. */
  readonly error: string;
  readonly letters: number;
  readonly firstAtMs: number;
  readonly lastAtMs: number;
  /** The newest of them. */
  readonly sampleId: string;
}

const LONGEST = 300;

// In this order: a UUID has numbers, too.
const VARYING: readonly RegExp[] = [
  /\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/gi,
  /\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?/g,
  /[\w.+-]+@[\w-]+\.[\w.-]+/g,
  /\b\d{1,3}(\.\d{1,3}){3}(:\d+)?\b/g,
  /\b(?=[0-9a-f]*\d)[0-9a-f]{8,}\b/gi,
  /\d+([.,]\d+)*/g,
];

/** The error without what differs from message to message. Its first line only. */
export function normaliseError(error: string): string {
  const [line = ""] = error.slice(0, 4 * LONGEST).split(/[\r\n]/, 1);
  return VARYING.reduce((text, pattern) => text.replace(pattern, "…"), line)
    .slice(0, LONGEST)
    .trim();
}

export const keyOfLetter = ({ reason, error }: Pick<LetterFacts, "reason" | "error">): string =>
  JSON.stringify([reason, normaliseError(error)]);

/** Counts dead letters by what went wrong. Takes them in any order. */
export class LetterTally {
  readonly #groups = new Map<string, LetterGroup>();

  add(letter: LetterFacts): void {
    const key = keyOfLetter(letter);
    const known = this.#groups.get(key);
    const { reason, atMs } = letter;
    if (known === undefined) {
      const error = normaliseError(letter.error);
      this.#groups.set(key, { key, reason, error, letters: 1, firstAtMs: atMs, lastAtMs: atMs, sampleId: letter.id });
      return;
    }
    this.#groups.set(key, {
      ...known,
      letters: known.letters + 1,
      firstAtMs: Math.min(known.firstAtMs, atMs),
      lastAtMs: Math.max(known.lastAtMs, atMs),
      sampleId: atMs > known.lastAtMs ? letter.id : known.sampleId,
    });
  }

  /** The largest first. */
  get groups(): readonly LetterGroup[] {
    return [...this.#groups.values()].toSorted(
      (one, other) => other.letters - one.letters || other.lastAtMs - one.lastAtMs,
    );
  }
}

/** Groups them, the largest first. Takes them in any order. */
export function groupLetters(letters: Iterable<LetterFacts>): readonly LetterGroup[] {
  const tally = new LetterTally();
  for (const letter of letters) tally.add(letter);
  return tally.groups;
}
