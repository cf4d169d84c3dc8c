/** The arguments and options of a command. Help, completion, the reference and the types are made from it. */

interface Named {
  /** One sentence without a full stop, as it stands in the help. */
  readonly about: string;
  /** One letter. */
  readonly short?: string;
}

export type OptionSpec =
  | (Named & { readonly kind: "flag" })
  | (Named & { readonly kind: "text"; readonly value: string; readonly default?: string })
  /** The name of a consumer, as tables show it: `\xff` is a byte. */
  | (Named & { readonly kind: "name"; readonly value: string; readonly default?: string })
  | (Named & { readonly kind: "choice"; readonly choices: readonly string[]; readonly default?: string })
  | (Named & {
      readonly kind: "number";
      readonly value: string;
      readonly min: number;
      readonly max: number;
      readonly default?: number;
    })
  /** Such as `500ms`, `5s`, `10m`, `2h`, `7d`; read as milliseconds. */
  | (Named & { readonly kind: "duration"; readonly minMs: number; readonly maxMs: number; readonly default?: string });

export type OptionSpecs = Readonly<Record<string, OptionSpec>>;

export interface ArgumentSpec {
  readonly name: string;
  readonly about: string;
  readonly optional?: true;
  /** All that follow. */
  readonly many?: true;
  readonly choices?: readonly string[];
  /** The name of a stream or a group, as tables show it: `\xff` is a byte. */
  readonly isName?: true;
  /** One or more, with commas between. A comma of a name is written as the byte that it is: `\x2c`. */
  readonly isList?: true;
  /** What to do for several streams, where the argument is one. Default: to call the command once for each. */
  readonly forSeveral?: string;
}

export interface CommandSpec {
  /** The words that call it, such as `["group", "create"]`. */
  readonly path: readonly string[];
  /** One line for the list of commands. */
  readonly summary: string;
  /** Paragraphs for its own help. */
  readonly about?: readonly string[];
  readonly args: readonly ArgumentSpec[];
  readonly options: OptionSpecs;
  readonly examples: readonly { readonly line: string; readonly does: string }[];
  /** Whether it connects to a server, so that it has the connection options. */
  readonly connects: boolean;
  /** Whether it finishes its current work after a first Ctrl-C; otherwise it ends at once. */
  readonly drains?: true;
  /** Exit code when it is called wrongly, if it differs from the other commands'. */
  readonly misuseCode?: number;
}

type Given<Spec, Value> = Spec extends { readonly default: string | number } ? Value : Value | undefined;

type OptionValue<Spec extends OptionSpec> = Spec extends { readonly kind: "flag" }
  ? boolean
  : Spec extends { readonly kind: "choice"; readonly choices: readonly (infer Choice)[] }
    ? Given<Spec, Choice>
    : Spec extends { readonly kind: "text" | "name" }
      ? Given<Spec, string>
      : Given<Spec, number>;

export type OptionValues<Specs extends OptionSpecs> = { readonly [Name in keyof Specs]: OptionValue<Specs[Name]> };

export type ArgumentValues<Specs extends readonly ArgumentSpec[]> = {
  readonly [Spec in Specs[number] as Spec["name"]]: Spec extends { readonly many: true } | { readonly isList: true }
    ? readonly string[]
    : Spec extends { readonly optional: true }
      ? string | undefined
      : string;
};

/** Keeps the literal types, which become the types of the command's arguments and options. */
export function defineCommand<const Spec extends CommandSpec>(spec: Spec): Spec {
  return spec;
}

export function defineOptions<const Specs extends OptionSpecs>(specs: Specs): Specs {
  return specs;
}
