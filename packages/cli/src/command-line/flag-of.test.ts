import { describe, expect, expectTypeOf, it } from "vitest";
import { flagOf } from "./flag-of.ts";
import { defineCommand, type OptionValues } from "./spec.ts";

const SPEC = {
  size: { kind: "integer", min: 1, max: 9, default: 3, about: "messages in a full `batch`" },
  waitMs: { kind: "milliseconds", min: 0, max: 60_000, default: 5_000, about: "maximum time to wait" },
  holdMs: { kind: "milliseconds", min: 500, max: 60_000, default: { times: 10, of: "waitMs" }, about: "time to hold" },
  mode: { kind: "choice", choices: ["slow", "fast"], default: "slow", about: "how" },
  loud: { kind: "flag", default: false, about: "be loud" },
  name: { kind: "name", about: "its name" },
  host: { kind: "text", default: "127.0.0.1", about: "where to listen" },
} as const;

describe("a flag of an option", () => {
  it("has the option's range, default and sentence", () => {
    expect(flagOf(SPEC.size)).toEqual({
      ...{ kind: "number", value: "n", min: 1, max: 9, default: 3, about: "messages in a full batch" },
    });
    expect(flagOf(SPEC.waitMs)).toEqual({
      ...{ kind: "duration", minMs: 0, maxMs: 60_000, default: "5s", about: "maximum time to wait" },
    });
    expect(flagOf(SPEC.mode)).toEqual({ kind: "choice", choices: ["slow", "fast"], default: "slow", about: "how" });
    expect(flagOf(SPEC.loud)).toEqual({ kind: "flag", about: "be loud" });
    expect(flagOf(SPEC.name)).toEqual({ kind: "name", value: "name", about: "its name" });
    expect(flagOf(SPEC.host)).toMatchObject({ kind: "text", default: "127.0.0.1" });
  });

  it("has no default where the option's follows another one, or the command has none", () => {
    expect(flagOf(SPEC.holdMs)).not.toHaveProperty("default");
    expect(flagOf(SPEC.size, { default: null })).not.toHaveProperty("default");
  });

  it("says what is different in a command", () => {
    expect(flagOf(SPEC.waitMs, { default: "1s", short: "w", about: "another" })).toEqual({
      ...{ kind: "duration", minMs: 0, maxMs: 60_000, default: "1s", short: "w", about: "another" },
    });
    expect(flagOf(SPEC.host, { value: "address" })).toMatchObject({ value: "address" });
  });

  it("gives its command what the option's own type says", () => {
    const { options } = defineCommand({
      ...{ path: ["try"], summary: "Try", args: [], examples: [], connects: false },
      options: {
        size: flagOf(SPEC.size),
        "no-default": flagOf(SPEC.size, { default: null }),
        wait: flagOf(SPEC.waitMs),
        hold: flagOf(SPEC.holdMs),
        mode: flagOf(SPEC.mode),
        loud: flagOf(SPEC.loud),
        name: flagOf(SPEC.name),
        host: flagOf(SPEC.host),
      },
    });
    expectTypeOf<OptionValues<typeof options>>().toEqualTypeOf<{
      readonly size: number;
      readonly "no-default": number | undefined;
      readonly wait: number;
      readonly hold: number | undefined;
      readonly mode: "slow" | "fast";
      readonly loud: boolean;
      readonly name: string | undefined;
      readonly host: string;
    }>();
  });
});
