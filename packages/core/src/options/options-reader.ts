import { types } from "node:util";
import { ConfigError } from "../errors/errors.ts";
import { isEntryId } from "../names/entry-id.ts";
import { hashTag } from "../names/keys.ts";
import { isName, quoteName } from "../names/names.ts";
import { partitionStreams } from "../names/partitions.ts";
import type { GroupPosition } from "../wire/xgroup.ts";
import type { NumberSpec, OptionSpec, OptionSpecs, PolicyOf } from "./option-spec.ts";

interface NumberRule {
  readonly default: number;
  readonly min: number;
  readonly max: number;
}

type Checks = Readonly<Record<string, ((value: unknown) => string | undefined) | undefined>>;

/** Of some options: what it must be, where it is something else. */
export type ChecksOf<Specs> = {
  readonly [Name in keyof Specs]?: (value: NonNullable<PolicyOf<Specs>[Name]>) => string | undefined;
};

/**
 * Reads one options object: unknown names, wrong types and values out of range are all collected, and
 * {@link OptionsReader.finish} reports them together.
 */
export class OptionsReader {
  readonly #subject: string;
  readonly #options: Readonly<Record<string, unknown>>;
  readonly #prefix: string;
  readonly #problems: string[] = [];

  /**
   * @param subject whose options these are, as the user knows it: `"new Consumer"`
   * @param known every name that may appear
   * @param prefix what stands before the names of the options of an object within another one: `"retry."`
   */
  constructor(subject: string, options: unknown, known: readonly string[], prefix = "") {
    this.#subject = subject;
    this.#prefix = prefix;
    if (typeof options !== "object" || options === null) {
      throw new ConfigError(subject, [`expected an options object, got ${describe(options)}`]);
    }
    this.#options = options as Readonly<Record<string, unknown>>;
    for (const name of Object.keys(options)) {
      if (known.includes(name)) continue;
      const suggestion = didYouMean(name, known);
      const question = suggestion === undefined ? "" : `, did you mean "${prefix}${suggestion}"?`;
      this.#problems.push(`unknown option ${JSON.stringify(`${prefix}${name}`)}${question}`);
    }
  }

  /**
   * Every option of the spec, in its order, as it is given or by default.
   *
   * @param checks what no spec can say of single options: each says what its option must be, or nothing
   */
  read<const Specs extends OptionSpecs>(specs: Specs, checks: ChecksOf<Specs> = {}): PolicyOf<Specs> {
    const policy: Record<string, unknown> = {};
    for (const [name, spec] of Object.entries(specs)) {
      const before = this.#problems.length;
      const value = this.#readOne(name, spec, policy);
      policy[name] = value;
      const isMissing = value === undefined && !("required" in spec);
      if (isMissing || this.#problems.length > before) continue;
      const expected = (checks as Checks)[name]?.(value);
      if (expected !== undefined) this.problem(`${this.#prefix}${name} must ${expected}`);
    }
    return policy as PolicyOf<Specs>;
  }

  #readOne(name: string, spec: OptionSpec, earlier: Readonly<Record<string, unknown>>): unknown {
    const value = this.#options[name];
    const isAbsent = value === undefined && !("default" in spec && spec.default !== undefined);
    switch (spec.kind) {
      case "redis":
        if (isAbsent) this.problem(`${name} is missing: a URL, ioredis options, or an ioredis client`);
        return value;
      case "options":
        return isAbsent && spec.optional ? undefined : this.#readNested(name, spec.options);
      case "streams":
        return isAbsent ? undefined : this.streams(name);
      case "function":
        return this.callable(name, value);
      case "codec":
        return isAbsent ? undefined : this.codec(spec.method, value as object);
      case "signal":
        return isAbsent ? undefined : this.signal(name, value);
      case "own":
        if (value === null) this.problem(`${this.#prefix}${name} must have a value or be left out, got null`);
        return value ?? spec.default;
      case "flag":
        return this.flag(name, spec.default);
      case "choice":
        return isAbsent ? undefined : this.oneOf(name, spec.choices, spec.default ?? "");
      case "position":
        return isAbsent ? undefined : this.position(name, spec.default);
      case "text":
        return isAbsent && !spec.required ? undefined : this.text(name, spec.default);
      case "name":
      case "stream":
      case "token":
        return isAbsent && !spec.required ? undefined : this[spec.kind](name, spec.default);
      default: {
        if (isAbsent && spec.required) this.problem(`${this.#prefix}${name} is missing`);
        if (isAbsent) return undefined;
        return this.#readNumber(name, spec, earlier);
      }
    }
  }

  #readNumber(name: string, spec: NumberSpec, earlier: Readonly<Record<string, unknown>>): number {
    const { kind, min, max, notBelow } = spec;
    const rule = { default: fallbackOf(spec.default, earlier), min, max };
    const value = kind === "number" ? this.number(name, rule) : this.integer(name, rule);
    const bound = notBelow === undefined ? value : Number(earlier[notBelow]);
    if (value < bound) {
      this.problem(`${this.#prefix}${name} (${value}) must not be below ${this.#prefix}${notBelow} (${bound})`);
    }
    return value;
  }

  #readNested(name: string, specs: OptionSpecs): unknown {
    const { [name]: value = {} } = this.#options;
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      this.problem(`${name} must be an object of options, got ${describe(value)}`);
      return {};
    }
    const reader = new OptionsReader(this.#subject, value, Object.keys(specs), `${name}.`);
    const policy = reader.read(specs);
    this.#problems.push(...reader.#problems);
    return Object.freeze(policy);
  }

  /** A whole number within the rule's bounds; its default when absent. */
  integer(name: string, rule: NumberRule): number {
    const value = this.#options[name];
    if (value === undefined) return rule.default;
    if (typeof value === "number" && Number.isSafeInteger(value) && value >= rule.min && value <= rule.max)
      return value;
    this.problem(
      `${this.#prefix}${name} must be a whole number from ${rule.min} to ${rule.max}, got ${describe(value)}`,
    );
    return rule.default;
  }

  /** A number within the rule's bounds; its default when absent. */
  number(name: string, rule: NumberRule): number {
    const value = this.#options[name];
    if (value === undefined) return rule.default;
    if (typeof value === "number" && value >= rule.min && value <= rule.max) return value;
    this.problem(`${this.#prefix}${name} must be a number from ${rule.min} to ${rule.max}, got ${describe(value)}`);
    return rule.default;
  }

  /** A non-empty text; the fallback, or a problem where there is none, when absent. */
  text(name: string, fallback?: string): string {
    const value = this.#options[name];
    if (value === undefined && fallback !== undefined) return fallback;
    if (typeof value === "string" && value !== "") return value;
    this.problem(`${this.#prefix}${name} must be a non-empty text, got ${describe(value)}`);
    return fallback ?? "";
  }

  /** The name of a stream, group or consumer; the fallback, or a problem where there is none, when absent. */
  name(name: string, fallback?: string): string {
    const value = this.text(name, fallback);
    if (isName(value)) return value;
    this.problem(
      `${this.#prefix}${name} holds half of a surrogate pair; of bytes that are not UTF-8 nameOfBytes() makes a name`,
    );
    return value;
  }

  /** The name of a stream beside which other keys are kept; the fallback, or a problem where there is none, when absent. */
  stream(name: string, fallback?: string): string {
    const stream = this.name(name, fallback);
    if (stream !== "") this.collect(() => hashTag(stream), "");
    return stream;
  }

  /** The names of several streams, each of them once. */
  streams(name: string): readonly string[] {
    const value = this.#options[name];
    if (!Array.isArray(value) || value.length === 0) {
      this.problem(`${this.#prefix}${name} must be a list of one or more streams, got ${describe(value)}`);
      return [];
    }
    const seen = new Set<unknown>();
    for (const [index, stream] of value.entries()) {
      const entry = `${this.#prefix}${name}[${index}]`;
      if (typeof stream !== "string" || stream === "") {
        this.problem(`${entry} must be a non-empty text, got ${describe(stream)}`);
      } else if (!isName(stream)) {
        this.problem(`${entry} holds half of a surrogate pair; of bytes that are not UTF-8 nameOfBytes() makes a name`);
      } else if (seen.has(stream)) this.problem(`${entry} is there twice: ${quoteName(stream)}`);
      else this.collect(() => hashTag(stream), "");
      seen.add(stream);
    }
    return Object.freeze([...(value as readonly string[])]);
  }

  /** The streams of a stream's partitions, or the stream itself. A wrong number is known as a problem already. */
  streamsOf(stream: string, partitions: number | undefined): readonly string[] {
    if (partitions === undefined || Number.isNaN(partitions)) return [stream];
    return this.collect(() => partitionStreams(stream, partitions), []);
  }

  /** What a client must send as a bearer token. Other characters do not survive in a header. */
  token(name: string, fallback?: string): string {
    const value = this.#options[name] ?? fallback;
    if (typeof value === "string" && /^[\x21-\x7e]+$/.test(value)) return value;
    this.problem(`${this.#prefix}${name} must be printable ASCII without spaces`);
    return fallback ?? "";
  }

  /** Where a group begins; the fallback when absent. */
  position(name: string, fallback: GroupPosition = "start"): GroupPosition {
    const { [name]: value = fallback } = this.#options;
    if (value === "start" || value === "end" || (typeof value === "string" && isEntryId(value))) return value;
    this.problem(`${this.#prefix}${name} must be "start", "end" or an entry id such as "1700000000000-0"`);
    return fallback;
  }

  /** A boolean; the fallback when absent. */
  flag(name: string, fallback: boolean): boolean {
    const value = this.#options[name];
    if (value === undefined) return fallback;
    if (typeof value === "boolean") return value;
    this.problem(`${this.#prefix}${name} must be true or false, got ${describe(value)}`);
    return fallback;
  }

  /** One of a closed list of words; the fallback when absent. */
  oneOf<const Choice extends string>(name: string, choices: readonly Choice[], fallback: Choice): Choice {
    const value = this.#options[name];
    if (value === undefined) return fallback;
    const choice = choices.find((candidate) => candidate === value);
    if (choice !== undefined) return choice;
    this.problem(
      `${this.#prefix}${name} must be one of ${choices.map((word) => `"${word}"`).join(", ")}, got ${describe(value)}`,
    );
    return fallback;
  }

  /** A function, if anything, given as `value`. */
  callable<Value>(name: string, value: Value): Value {
    if (value !== undefined && typeof value !== "function") this.problem(`${this.#prefix}${name} must be a function`);
    return value;
  }

  /**
   * The option `codec`, given as `value`: an object that has this method. It is called where nobody can wait for a promise,
   * so one that always gives one is refused here, before there is a message.
   */
  codec<Value extends object>(method: "encode" | "decode", value: Value): Value {
    const found: unknown = Reflect.get(Object(value) as object, method);
    if (typeof found !== "function") {
      this.problem(`codec must have a method ${method}(); see fieldsCodec, jsonCodec() and withSchema()`);
    } else if (types.isAsyncFunction(found)) {
      this.problem(`codec.${method} must be synchronous, and it is an async function`);
    }
    return value;
  }

  /** An `AbortSignal`, given as `value`: any that has its members, because each realm has a class of its own. */
  signal(name: string, value: unknown): unknown {
    const { aborted, addEventListener } = Object(value) as Partial<AbortSignal>;
    if (typeof aborted !== "boolean" || typeof addEventListener !== "function") {
      this.problem(`${this.#prefix}${name} must be an AbortSignal, got ${describe(value)}`);
    }
    return value;
  }

  /** Whether the option was given at all. */
  has(name: string): boolean {
    return this.#options[name] !== undefined;
  }

  /** Records one problem, in words a user can act on. */
  problem(sentence: string): void {
    this.#problems.push(sentence);
  }

  /** Runs `read` and records the problems of the {@link ConfigError} it throws, if it does. */
  collect<Value>(read: () => Value, fallback: Value): Value {
    try {
      return read();
    } catch (error) {
      if (!ConfigError.is(error)) throw error;
      this.#problems.push(...error.problems);
      return fallback;
    }
  }

  /**
   * The complete policy, frozen.
   *
   * @throws {ConfigError} naming every problem found
   */
  finish<Policy extends object>(policy: Policy): Readonly<Policy> {
    if (this.#problems.length > 0) throw new ConfigError(this.#subject, this.#problems);
    return Object.freeze(policy);
  }
}

/** A default; `NaN` for one that follows an option that has none. */
function fallbackOf(given: NumberSpec["default"], earlier: Readonly<Record<string, unknown>>): number {
  if (typeof given !== "object") return given ?? Number.NaN;
  return Math.max(given.times * Number(earlier[given.of]), given.atLeast ?? 0);
}

/** A value as it may appear in an error: shapes rather than contents, because options can hold passwords. */
function describe(value: unknown): string {
  if (typeof value === "string") return value === "" ? "an empty text" : "a text";
  if (typeof value === "number" || typeof value === "boolean" || value === null || value === undefined) {
    return String(value);
  }
  if (typeof value === "object") return Array.isArray(value) ? "an array" : "an object";
  return `a ${typeof value}`;
}

/** The known name that a mistyped one most likely meant, if any is near enough. */
export function didYouMean(name: string, known: readonly string[]): string | undefined {
  let best: string | undefined;
  // Half of the letters wrong is another word, not a typing error.
  let bestDistance = Math.floor(name.length / 2) + 1;
  for (const candidate of known) {
    const distance = editDistance(name.toLowerCase(), candidate.toLowerCase());
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

/** Levenshtein's distance, one row at a time. */
function editDistance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let line = 1; line <= from.length; line++) {
    const next = [line];
    for (let column = 1; column <= to.length; column++) {
      const substitution = (row[column - 1] ?? 0) + (from[line - 1] === to[column - 1] ? 0 : 1);
      next.push(Math.min(substitution, (row[column] ?? 0) + 1, (next[column - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[to.length] ?? 0;
}
