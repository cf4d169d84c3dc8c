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

/** Groups them, the largest first. Takes them in any order. */
export function groupLetters(letters: Iterable<LetterFacts>): readonly LetterGroup[] {
  const groups = new Map<string, LetterGroup>();
  for (const letter of letters) {
    const key = keyOfLetter(letter);
    const known = groups.get(key);
    const { reason, atMs } = letter;
    if (known === undefined) {
      const error = normaliseError(letter.error);
      groups.set(key, { key, reason, error, letters: 1, firstAtMs: atMs, lastAtMs: atMs, sampleId: letter.id });
      continue;
    }
    groups.set(key, {
      ...known,
      letters: known.letters + 1,
      firstAtMs: Math.min(known.firstAtMs, atMs),
      lastAtMs: Math.max(known.lastAtMs, atMs),
      sampleId: atMs > known.lastAtMs ? letter.id : known.sampleId,
    });
  }
  return [...groups.values()].toSorted((one, other) => other.letters - one.letters || other.lastAtMs - one.lastAtMs);
}
