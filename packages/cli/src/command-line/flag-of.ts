/** The flags of options that a service has: kind, range, default and sentence come from the service's own spec. */
import type { OptionSpec as ServiceOption } from "@redis-batch/core/internal/options";
import { formatDuration } from "./option-value.ts";

/** What a flag says otherwise than the option. `default: null`: there is none here. */
interface Changes {
  readonly about?: string;
  readonly short?: string;
  /** What stands for the value in the help, such as `n`. */
  readonly value?: string;
  readonly default?: string | number | null;
}

interface KindsOf<Choices> {
  readonly milliseconds: { readonly kind: "duration"; readonly minMs: number; readonly maxMs: number };
  readonly choice: { readonly kind: "choice"; readonly choices: Choices };
  readonly flag: { readonly kind: "flag" };
  readonly name: { readonly kind: "name"; readonly value: string };
  readonly text: { readonly kind: "text"; readonly value: string };
  readonly number: { readonly kind: "number"; readonly value: string; readonly min: number; readonly max: number };
}

type KindOf<Option extends ServiceOption> = KindsOf<
  Option extends { readonly choices: infer Choices } ? Choices : never
>[Option["kind"] extends infer Kind extends "milliseconds" | "choice" | "flag" | "name"
  ? Kind
  : Option["kind"] extends "integer" | "bytes" | "number"
    ? "number"
    : "text"];

type DefaultOf<Option, Own> = Own extends { readonly default: infer Value }
  ? Value extends null
    ? unknown
    : { readonly default: Value }
  : Option extends { readonly kind: "flag" }
    ? unknown
    : Option extends { readonly kind: "milliseconds"; readonly default: number }
      ? { readonly default: string }
      : Option extends { readonly default: string | number }
        ? { readonly default: Option["default"] }
        : unknown;

type FlagOf<Option extends ServiceOption, Own> = KindOf<Option> &
  DefaultOf<Option, Own> & { readonly about: string; readonly short?: string };

const OPTIONS = new WeakMap<object, ServiceOption>();

/** The option of a service that a flag sets; `undefined` for a flag that is not made by {@link flagOf}. */
export const optionOf = (flag: object): ServiceOption | undefined => OPTIONS.get(flag);

/** The flag of one option. */
export function flagOf<const Option extends ServiceOption, const Own extends Changes = object>(
  option: Option,
  changes: Own = {} as Own,
): FlagOf<Option, Own> {
  const { default: own, ...words } = changes as Changes;
  const flag = { ...shapeOf(option), about: "about" in option ? option.about.replaceAll("`", "") : "", ...words };
  const value = own === undefined ? defaultOf(option) : own;
  const whole = value === null ? flag : { ...flag, default: value };
  OPTIONS.set(whole, option);
  return whole as unknown as FlagOf<Option, Own>;
}

function defaultOf(option: ServiceOption): string | number | null {
  const value = "default" in option ? option.default : undefined;
  if (option.kind === "milliseconds" && typeof value === "number") return formatDuration(value);
  return typeof value === "string" || typeof value === "number" ? value : null;
}

function shapeOf(option: ServiceOption): object {
  switch (option.kind) {
    case "milliseconds":
      return { kind: "duration", minMs: option.min, maxMs: option.max };
    case "integer":
    case "bytes":
    case "number":
      return { kind: "number", value: "n", min: option.min, max: option.max };
    case "choice":
      return { kind: "choice", choices: option.choices };
    case "flag":
      return { kind: "flag" };
    case "name":
      return { kind: "name", value: "name" };
    default:
      return { kind: "text", value: "text" };
  }
}
