/** Converts between a line of text and the fields of a message. `produce` reads what consume, tail and peek print. */

export type FieldPair = readonly [name: string | Buffer, value: string | Buffer];

export type ReadMessage =
  | { readonly kind: "message"; readonly fields: readonly FieldPair[] }
  | { readonly kind: "malformed"; readonly why: string };

export interface LineFormat {
  readonly format: "ndjson" | "pairs";
  /** The whole line goes unchanged into this field. */
  readonly jsonField?: string | undefined;
}

/** Reads one line that is not blank. */
export function parseMessageLine(line: string, { format, jsonField }: LineFormat): ReadMessage {
  if (format === "pairs") return readPairs(splitWords(line));
  const parsed = parseJson(line);
  if (parsed === undefined) return malformed("it is not JSON");
  if (jsonField !== undefined) return { kind: "message", fields: [[jsonField, line.trim()]] };
  if (!isRecord(parsed.value))
    return malformed("it is not an object of fields; --json-field writes any JSON into one field");
  const { fields } = parsed.value;
  // A field's value is never an object, so this is a line that we printed.
  return readFields(isRecord(fields) || Array.isArray(fields) ? fields : parsed.value);
}

/** Reads `field=value field=value` that a shell, or {@link parseMessageLine}, has split. */
export function readPairs(words: readonly string[] | string): ReadMessage {
  if (typeof words === "string") return malformed(words);
  const fields: FieldPair[] = [];
  for (const word of words) {
    const at = word.indexOf("=");
    if (at < 1) return malformed("every word must look like field=value");
    fields.push([word.slice(0, at), word.slice(at + 1)]);
  }
  return fields.length === 0 ? malformed("it has no field") : { kind: "message", fields };
}

/** The fields as JSON: an object, or pairs if a name repeats. Bytes that are not text become `{"base64":"…"}`. */
export function encodeFields(raw: readonly Buffer[]): Readonly<Record<string, unknown>> | readonly unknown[] {
  const pairs = Array.from({ length: raw.length / 2 }, (_, index): readonly [unknown, unknown] => [
    encodeBytes(raw[2 * index] as Buffer),
    encodeBytes(raw[2 * index + 1] as Buffer),
  ]);
  const names = pairs.map(([name]) => name);
  // An object would merge names that repeat, and put those that look like an index in front.
  const isPlain =
    names.every((name) => typeof name === "string" && !/^\d+$/.test(name)) && new Set(names).size === names.length;
  return isPlain ? (Object.fromEntries(pairs) as Readonly<Record<string, unknown>>) : pairs;
}

function readFields(fields: Readonly<Record<string, unknown>> | readonly unknown[]): ReadMessage {
  const pairs: FieldPair[] = [];
  for (const pair of Array.isArray(fields) ? fields : Object.entries(fields)) {
    if (!Array.isArray(pair) || pair.length !== 2)
      return malformed('"fields" must be an object, or pairs of name and value');
    const [name, value] = [readPart(pair[0]), readPart(pair[1])];
    if (name.kind === "malformed") return malformed(`a field's name is ${name.why}`);
    if (value.kind === "malformed") return malformed(`the field ${JSON.stringify(String(name.part))} is ${value.why}`);
    pairs.push([name.part, value.part]);
  }
  return pairs.length === 0 ? malformed("it has no field") : { kind: "message", fields: pairs };
}

type ReadPart =
  | { readonly kind: "part"; readonly part: string | Buffer }
  | { readonly kind: "malformed"; readonly why: string };

function readPart(value: unknown): ReadPart {
  if (typeof value === "string") return { kind: "part", part: value };
  if (typeof value === "boolean") return { kind: "part", part: String(value) };
  if (typeof value === "number") {
    // JSON.parse has rounded it already.
    const isExact = !Number.isInteger(value) || Number.isSafeInteger(value);
    return isExact && Number.isFinite(value)
      ? { kind: "part", part: String(value) }
      : { kind: "malformed", why: "a number too large to be read exactly; write it as text" };
  }
  if (isRecord(value) && Object.keys(value).length === 1 && typeof value["base64"] === "string") {
    return { kind: "part", part: Buffer.from(value["base64"], "base64") };
  }
  const shape = value === null ? "null" : Array.isArray(value) ? "a list" : "an object";
  return { kind: "malformed", why: `${shape}, but a field is text; --json-field writes any JSON into one field` };
}

function encodeBytes(bytes: Buffer): string | { readonly base64: string } {
  const text = bytes.toString();
  return Buffer.from(text).equals(bytes) ? text : { base64: bytes.toString("base64") };
}

/** Splits words as a shell does: quotes keep spaces, a backslash keeps the next character. A string result says what is wrong. */
function splitWords(line: string): readonly string[] | string {
  const words: string[] = [];
  let word: string | undefined;
  let quote: string | undefined;
  for (let at = 0; at < line.length; at++) {
    const character = line[at] as string;
    if (character === "\\" && quote !== "'") {
      at++;
      word = (word ?? "") + (line[at] ?? "\\");
    } else if (quote !== undefined) {
      if (character === quote) quote = undefined;
      else word = (word ?? "") + character;
    } else if (character === '"' || character === "'") {
      quote = character;
      word ??= "";
    } else if (/\s/.test(character)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else word = (word ?? "") + character;
  }
  if (quote !== undefined) return "a quote is not closed";
  return word === undefined ? words : [...words, word];
}

function parseJson(text: string): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) as unknown };
  } catch {
    return undefined;
  }
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const malformed = (why: string): { readonly kind: "malformed"; readonly why: string } => ({ kind: "malformed", why });
