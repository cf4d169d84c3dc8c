import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { CLI_SCRIPT } from "../build.ts";
import type { Figures } from "../figures.ts";
import { CannotRunError, type Scenario } from "../scenario.ts";
import { spreadOf } from "../statistics.ts";

const STARTS = 5;

export const CLI_START: Scenario = {
  name: "cli-start",
  what: "the time until the command line has printed its help",
  oursName: "redis-batch --help",
  referenceName: "node -e 0",
  targets: [{ metric: "wall ms", of: "difference", bound: "at most", value: 100 }],
  prepare: async () => {
    if (!existsSync(CLI_SCRIPT)) throw new CannotRunError("the command line is not built");
    return {
      ours: async () => start([CLI_SCRIPT, "--help"]),
      reference: async () => start(["-e", "0"]),
    };
  },
};

function start(args: readonly string[]): Figures {
  const took = Array.from({ length: STARTS }, () => {
    const beganMs = performance.now();
    const { status, stderr } = spawnSync(process.execPath, [...args], { encoding: "utf8" });
    if (status !== 0) throw new Error(`${args.join(" ")}: ${stderr}`);
    return performance.now() - beganMs;
  });
  return { "wall ms": spreadOf(took).median };
}
