/** Says an error about options of a service in the words of the command line. Loaded only when there is such an error. */
import * as consumer from "@redis-batch/consumer/spec";
import type { OptionSpec as ServiceOption, OptionSpecs as ServiceOptions } from "@redis-batch/core/internal/options";
import * as core from "@redis-batch/core/spec";
import * as monitor from "@redis-batch/monitor/spec";
import * as scaler from "@redis-batch/scaler/spec";
import { optionOf } from "./flag-of.ts";
import { formatDuration } from "./option-value.ts";
import type { OptionSpec, OptionSpecs } from "./spec.ts";

/** Every option of every service by its name, as errors have it. */
const NAMES: ReadonlyMap<ServiceOption, string> = new Map(
  [core, consumer, monitor, scaler].flatMap((specs) =>
    Object.values(specs).flatMap((spec) => (typeof spec === "object" ? namesIn(spec as ServiceOptions) : [])),
  ),
);

function namesIn(specs: ServiceOptions, prefix = ""): (readonly [ServiceOption, string])[] {
  return Object.entries(specs).flatMap(([name, option]) => [
    [option, `${prefix}${name}`] as const,
    ...(option.kind === "options" ? namesIn(option.options, `${prefix}${name}.`) : []),
  ]);
}

/**
 * Replaces the names of options by the flags of this command that set them: `leaseMs (5000)` by `--lease (5s)`. Options that
 * the command has no flag for keep their names.
 */
export function nameFlags(problem: string, flags: OptionSpecs): string {
  let text = problem;
  for (const [flag, spec] of Object.entries(flags)) {
    const option = optionOf(spec);
    const name = option === undefined ? undefined : NAMES.get(option);
    if (name === undefined) continue;
    const pattern = new RegExp(`(?<![\\w.-])${name.replaceAll(".", "\\.")}(?![\\w.])(?: \\((\\d+)\\))?`, "g");
    text = text.replace(
      pattern,
      (_, value?: string) => `--${flag}${value === undefined ? "" : ` (${shown(spec, value)})`}`,
    );
  }
  return text;
}

const shown = ({ kind }: OptionSpec, value: string): string =>
  kind === "duration" ? formatDuration(Number(value)) : value;
