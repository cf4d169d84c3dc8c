/** The tables of options in the READMEs, made of the specs that the options are read by. */
import type { OptionSpec, OptionSpecs } from "@redis-batch/core/internal/options";

type Specs = Readonly<Record<string, Readonly<Record<string, OptionSpecs>>>>;

/** Has a page show options as they are: what stands behind `<!-- options: consumer CONSUMER_SPEC -->` becomes their table. */
export function fillOptionTables(page: string, specs: Specs): string {
  return page.replaceAll(
    /^(<!-- options: (\S+) (.+) -->\n\n)(?:\|.*\n)*/gm,
    (_match, opening: string, name: string, names: string) => {
      const options = names.split(" ").map((spec) => {
        const found = specs[name]?.[spec];
        if (found === undefined) throw new Error(`there is no ${spec} in the package ${name}`);
        return found;
      });
      return `${opening}${optionTable(Object.assign({}, ...options) as OptionSpecs)}\n`;
    },
  );
}

const REDIS =
  "where Redis is: a URL of a server, of Sentinels or of a Cluster ([Connecting](../../docs/connecting.md)), ioredis options, or an ioredis `Redis` or `Cluster`, which is duplicated, and never used or closed itself";

/** Required ones first, then values, then functions and objects. */
export function optionTable(specs: OptionSpecs): string {
  const rows = rowsOf(specs, "").toSorted((one, other) => one.place - other.place);
  return [
    "| option | default | range | what it is |",
    "|---|---|---|---|",
    ...rows.map(({ cells }) => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`),
  ].join("\n");
}

interface Row {
  readonly place: number;
  readonly cells: readonly string[];
}

function rowsOf(specs: OptionSpecs, prefix: string): readonly Row[] {
  return Object.entries(specs).flatMap(([name, spec]) => {
    const about = spec.kind === "redis" ? REDIS : spec.about;
    const isLast = ["function", "signal", "own", "codec", "options"].includes(spec.kind) || prefix !== "";
    const place = isRequired(spec) && prefix === "" ? 0 : isLast ? 2 : 1;
    const row = { place, cells: [`\`${prefix}${name}\``, defaultOf(spec), rangeOf(spec, prefix), about] };
    return spec.kind === "options" ? [row, ...rowsOf(spec.options, `${name}.`)] : [row];
  });
}

const isRequired = (spec: OptionSpec): boolean => spec.kind === "redis" || spec.required === true;

function defaultOf(spec: OptionSpec): string {
  if (spec.kind === "redis" || spec.required === true) return "required";
  const value = "default" in spec ? spec.default : undefined;
  const parts = [value === undefined ? [] : [valueOf(value, spec.kind)], spec.otherwise ?? []].flat();
  const isObject = spec.kind === "options" && spec.optional !== true;
  return parts.length === 0 && !isObject ? "–" : parts.join("; ");
}

function valueOf(value: NonNullable<unknown>, kind: OptionSpec["kind"]): string {
  if (typeof value === "number") return amountOf(value, kind);
  if (typeof value === "string") return `\`${JSON.stringify(value)}\``;
  if (typeof value === "boolean") return `\`${value}\``;
  const { times, of, atLeast } = value as { readonly times: number; readonly of: string; readonly atLeast?: number };
  return `${times} × \`${of}\`${atLeast === undefined ? "" : `, at least ${amountOf(atLeast, kind)}`}`;
}

function rangeOf(spec: OptionSpec, prefix: string): string {
  if (spec.kind === "choice") return spec.choices.map((choice) => `\`${JSON.stringify(choice)}\``).join(", ");
  if (spec.kind === "position") return '`"start"`, `"end"`, an entry id';
  if (!("min" in spec)) return "";
  const unit = spec.kind === "milliseconds" ? " ms" : "";
  const bound = spec.notBelow === undefined ? "" : `, not below \`${prefix}${spec.notBelow}\``;
  return `${amountOf(spec.min, spec.kind)} – ${amountOf(spec.max, spec.kind)}${unit}${bound}`;
}

/** `16 MiB`, `5,000`, `2^53 - 1`. */
function amountOf(value: number, kind: OptionSpec["kind"]): string {
  if (value === Number.MAX_SAFE_INTEGER) return "2^53 - 1";
  const [unit, size] = Object.entries(BYTES).find(([, bytes]) => value % bytes === 0 && value > 0) ?? ["", 1];
  return kind === "bytes" && unit !== "" ? `${value / size} ${unit}` : value.toLocaleString("en-US");
}

const BYTES = { GiB: 2 ** 30, MiB: 2 ** 20, KiB: 2 ** 10 };
