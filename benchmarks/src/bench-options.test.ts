import { describe, expect, it } from "vitest";
import { parseBenchOptions, UsageError } from "./bench-options.ts";

const KNOWN = ["consume-100", "consume-1000", "idle-latency"];

describe("parseBenchOptions", () => {
  it("runs everything, seven rounds, unless told otherwise", () => {
    expect(parseBenchOptions([], KNOWN)).toMatchObject({ scenarios: KNOWN, rounds: 7, quick: false, json: false });
  });

  it("takes some scenarios in their own order", () => {
    const args = ["--only", "idle-latency", "--only", "consume-100"];
    expect(parseBenchOptions(args, KNOWN).scenarios).toEqual(["consume-100", "idle-latency"]);
  });

  it("takes fewer rounds when it has to be quick, unless told how many", () => {
    expect(parseBenchOptions(["--quick"], KNOWN)).toMatchObject({ rounds: 3, isHasty: true });
    expect(parseBenchOptions(["--quick", "--rounds", "5"], KNOWN)).toMatchObject({ rounds: 5, isHasty: false });
  });

  it.each([
    [["--only", "nothing"], "no scenario is called nothing"],
    [["--rounds", "0"], "--rounds must be"],
    [["--rounds", "2.5"], "--rounds must be"],
    [["--fast"], "--fast"],
    [["--publish", "--only", "consume-100"], "--publish is for all scenarios"],
  ])("refuses %j", (args, message) => {
    const parse = (): unknown => parseBenchOptions(args, KNOWN);
    expect(parse).toThrow(UsageError);
    expect(parse).toThrow(message);
  });
});
