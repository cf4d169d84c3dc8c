/** Checks the options, and fills in what is not given. What each option is stands in `spec.ts`. */
import {
  type DefaultsOf,
  defaultsOf,
  type OptionsOf,
  OptionsReader,
  type PolicyOf,
} from "@redis-batch/core/internal/options";
import { OPEN_TELEMETRY_SPEC } from "./spec.ts";

/** The options of `openTelemetry()`. */
export interface OpenTelemetryOptions extends OptionsOf<typeof OPEN_TELEMETRY_SPEC> {}

/** The values of options that are not given. */
export const OPEN_TELEMETRY_DEFAULTS: DefaultsOf<typeof OPEN_TELEMETRY_SPEC> = defaultsOf(OPEN_TELEMETRY_SPEC);

/** @throws {ConfigError} naming every problem */
export function resolveOpenTelemetryOptions(options: OpenTelemetryOptions): PolicyOf<typeof OPEN_TELEMETRY_SPEC> {
  const reader = new OptionsReader("openTelemetry", options, Object.keys(OPEN_TELEMETRY_SPEC));
  const policy = reader.read(OPEN_TELEMETRY_SPEC, {
    tracerProvider: (given) => (typeof given.getTracer === "function" ? undefined : "have a method getTracer()"),
    carryBaggage: (given) =>
      Array.isArray(given) && given.every((name) => typeof name === "string" && name !== "")
        ? undefined
        : "be a list of names",
    meterProvider: (given) => (typeof given.getMeter === "function" ? undefined : "have a method getMeter()"),
  });
  return reader.finish(policy);
}
