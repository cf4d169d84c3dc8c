/**
 * The language in which an option is written, once. Types, defaults, checks, flags of the command line, help and the tables
 * of the READMEs are made from it. Plain data, so that it can be loaded for a help text without anything else.
 *
 * Cross-field rules that this does not know stand beside the spec, where it is resolved.
 */
import type { CredentialsFunction } from "../redis/credentials.ts";
import type { RedisSource } from "../redis/open-client.ts";
import type { GroupPosition } from "../wire/xgroup.ts";

interface Described {
  /** What it is: one noun phrase without a full stop, as it stands in tables and in the help. */
  readonly about: string;
  readonly required?: true;
  /** What holds when it is not given, in words, where `default` cannot say it. */
  readonly otherwise?: string;
}

export interface NumberSpec extends Described {
  /** `milliseconds` and `bytes` are whole numbers, too. */
  readonly kind: "integer" | "milliseconds" | "bytes" | "number";
  readonly min: number;
  readonly max: number;
  readonly default?: number | Multiple;
  /** The option, earlier in the spec, that this one must not be below. */
  readonly notBelow?: string;
}

/** A default that follows another option, which is earlier in the spec. */
interface Multiple {
  readonly times: number;
  readonly of: string;
  readonly atLeast?: number;
}

interface Textual extends Described {
  /**
   * `name`: of a stream, group or consumer. `stream`: one beside which other keys are kept. `token`: what a client sends in a
   * header, so never shown.
   */
  readonly kind: "text" | "name" | "stream" | "token";
  readonly default?: string;
}

/** The names of several streams. */
interface Streams extends Described {
  readonly kind: "streams";
}

interface Flag extends Described {
  readonly kind: "flag";
  readonly default: boolean;
}

interface Choice extends Described {
  readonly kind: "choice";
  readonly choices: readonly string[];
  readonly default?: string;
}

interface Position extends Described {
  readonly kind: "position";
  readonly default?: GroupPosition;
}

/** Where Redis is, with the same sentence in each service. Always required. */
interface Redis {
  readonly kind: "redis";
}

/** An `AbortSignal`. */
interface Signal extends Described {
  readonly kind: "signal";
}

/** Something of the user's. Only that a function is one is checked here. */
interface Own extends Described {
  readonly kind: "function" | "own";
  readonly default?: string;
  /** Never read: it has the type. */
  readonly value: unknown;
}

/** What has this method, and has it synchronously. */
interface Codec extends Described {
  readonly kind: "codec";
  readonly method: "encode" | "decode";
  /** Never read: it has the type. */
  readonly value: unknown;
}

/** An object of options. */
interface Nested extends Described {
  readonly kind: "options";
  readonly options: OptionSpecs;
  /** Without the object there is none of its options either. Otherwise each that is not given has its default. */
  readonly optional?: true;
}

export type OptionSpec =
  | NumberSpec
  | Textual
  | Streams
  | Flag
  | Choice
  | Position
  | Redis
  | Signal
  | Own
  | Codec
  | Nested;

/** The options of one object, in the order in which their problems are told. */
export type OptionSpecs = Readonly<Record<string, OptionSpec>>;

type ValueOf<Spec> = Spec extends { readonly kind: NumberSpec["kind"] }
  ? number
  : Spec extends { readonly kind: Textual["kind"] }
    ? string
    : Spec extends { readonly kind: "streams" }
      ? readonly string[]
      : Spec extends { readonly kind: "flag" }
        ? boolean
        : Spec extends { readonly choices: readonly (infer Word)[] }
          ? Word
          : Spec extends { readonly kind: "position" }
            ? GroupPosition
            : Spec extends { readonly kind: "redis" }
              ? RedisSource
              : Spec extends { readonly kind: "signal" }
                ? AbortSignal
                : Spec extends { readonly value: infer Value }
                  ? Value
                  : never;

type NamesWith<Specs, Feature> = { [Name in keyof Specs]: Specs[Name] extends Feature ? Name : never }[keyof Specs];
type IsRequired = { readonly required: true } | Redis;
type Required<Specs> = NamesWith<Specs, IsRequired>;

// Each maps names of the spec itself: so the docstrings of its entries are those of the options, in editors as well.
type Given<Specs, Names extends keyof Specs> = { readonly [Name in Names]: OptionOf<Specs[Name]> };
type MayBeGiven<Specs, Names extends keyof Specs> = { readonly [Name in Names]?: OptionOf<Specs[Name]> | undefined };
type OptionOf<Spec> = Spec extends { readonly options: infer Inner } ? OptionsOf<Inner> : ValueOf<Spec>;

/** What a user gives. */
export type OptionsOf<Specs> = Given<Specs, Required<Specs>> & MayBeGiven<Specs, Exclude<keyof Specs, Required<Specs>>>;

/** What every service that connects takes: written here, because the docstrings of entries are not passed on by a spread. */
export interface WithRedis {
  /**
   * Where Redis is: a URL (`redis://`, `rediss://`, `unix://`), ioredis options (Sentinel's too), or an ioredis
   * `Redis` or `Cluster`, which is duplicated and never used or closed itself. In a test: `memoryRedis()` of
   * `@redis-batch/testing`.
   */
  readonly redis: RedisSource;
  /**
   * Returns user, password or certificates; may be asynchronous. It is called before each connection, so what is rotated
   * takes effect without a restart. Default: those of `redis`.
   */
  readonly credentials?: CredentialsFunction | undefined;
}

/** What a user gives, checked, and with the defaults in it. `undefined`: not given, and there is no default. */
export type PolicyOf<Specs> = {
  readonly [Name in keyof Specs]: Specs[Name] extends { readonly options: infer Inner }
    ? PolicyOf<Inner> | (Specs[Name] extends { readonly optional: true } ? undefined : never)
    : Specs[Name] extends IsRequired | { readonly default: unknown }
      ? ValueOf<Specs[Name]>
      : ValueOf<Specs[Name]> | undefined;
};

type Constant = string | number | boolean;
type Defaults<Specs, Names extends keyof Specs> = {
  readonly [Name in Exclude<Names, NamesWith<Specs, { readonly optional: true }>>]: Specs[Name] extends {
    readonly options: infer Inner;
  }
    ? DefaultsOf<Inner>
    : Specs[Name] extends { readonly default: infer Value }
      ? Value
      : never;
};

/** The values of options that are not given, as far as they are always the same. */
export type DefaultsOf<Specs> = Defaults<
  Specs,
  NamesWith<Specs, { readonly default: Constant } | { readonly options: unknown }>
>;

/** Reads them from a spec. */
export function defaultsOf<const Specs extends OptionSpecs>(specs: Specs): DefaultsOf<Specs> {
  const defaults = Object.entries(specs).flatMap(([name, spec]): (readonly [string, unknown])[] => {
    if (spec.kind === "options") return spec.optional ? [] : [[name, defaultsOf(spec.options)]];
    const value = "default" in spec ? spec.default : undefined;
    return value === undefined || typeof value === "object" ? [] : [[name, value]];
  });
  return Object.freeze(Object.fromEntries(defaults)) as DefaultsOf<Specs>;
}
