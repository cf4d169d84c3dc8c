/** The command executor, with real commands. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ConfigError } from "@redis-batch/core";
import { createScratchFolder, eventually, removeScratchFolder } from "@redis-batch/test-support";
import { describe, expect, it, onTestFinished } from "vitest";
import { type CommandExecutorOptions, commandExecutor } from "../src/index.ts";
import { ORDER, scaleOut } from "./decision-samples.ts";

const node = (script: string, ...args: string[]) => ({ command: process.execPath, args: ["-e", script, ...args] });
const never = new AbortController().signal;

function scratchFile(): string {
  const folder = createScratchFolder();
  onTestFinished(() => removeScratchFolder(folder));
  return join(folder, "told");
}

describe("a command", () => {
  it("gets the order as JSON on its input, and the facts in its environment", async () => {
    const file = scratchFile();
    const script = `
      const facts = Object.fromEntries(Object.entries(process.env).filter(([name]) => name.startsWith("REDIS_BATCH_")));
      process.stdin.setEncoding("utf8").on("data", (text) => {
        require("node:fs").writeFileSync(process.argv[1], JSON.stringify({ input: JSON.parse(text), facts }));
      });`;
    const executor = commandExecutor({ ...node(script, file), env: { REDIS_BATCH_TEST_URL: undefined } });
    const decision = scaleOut();
    await executor.scale(decision, never, { ...ORDER, group: "$(exit 9) `exit 9` \"';\n" });
    const { input, facts } = JSON.parse(readFileSync(file, "utf8")) as {
      readonly input: unknown;
      readonly facts: unknown;
    };
    const { reason } = decision;
    expect(input).toEqual({
      ...{ v: 1, ...ORDER, group: "$(exit 9) `exit 9` \"';\n", direction: "OUT", current: 2, desired: 3, reason },
      decision: JSON.parse(JSON.stringify(decision)) as unknown,
    });
    expect(facts).toMatchObject({
      REDIS_BATCH_STREAM: "orders",
      REDIS_BATCH_GROUP: "$(exit 9) `exit 9` \"';\n",
      REDIS_BATCH_DIRECTION: "OUT",
      REDIS_BATCH_CURRENT: "2",
      REDIS_BATCH_DESIRED: "3",
      REDIS_BATCH_TERM: "3",
      REDIS_BATCH_SEQUENCE: "7",
      REDIS_BATCH_REASON: reason,
    });
  });

  it("has ordered what it ended well with, and nothing before", async () => {
    const executor = commandExecutor(node(""));
    expect(await executor.status(never)).toBeNull();
    await executor.scale(scaleOut(), never, ORDER);
    expect(await executor.status(never)).toMatchObject({ desired: 3, ready: null });
  });

  it("that fails has ordered nothing; what it said goes with the error", async () => {
    const executor = commandExecutor(node("console.error('no room'); process.exit(3)"));
    await expect(executor.scale(scaleOut(), never, ORDER)).rejects.toThrow("failed with exit code 3: no room");
    expect(await executor.status(never)).toBeNull();
  });

  it("that reads nothing, or is not there, is no trouble of ours", async () => {
    await commandExecutor({ command: "true" }).scale(scaleOut(), never, ORDER);
    const missing = commandExecutor({ command: "/there/is/no/such/program" });
    await expect(missing.scale(scaleOut(), never, ORDER)).rejects.toThrow("failed with ENOENT");
  });

  it("that hangs is killed in time", async () => {
    const file = scratchFile();
    const script =
      "require('node:fs').writeFileSync(process.argv[1], String(process.pid)); setInterval(() => {}, 1000)";
    const executor = commandExecutor({ ...node(script, file), timeoutMs: 2_000 });
    await expect(executor.scale(scaleOut(), never, ORDER)).rejects.toThrow("did not end within 2000 ms");
    const pid = Number(readFileSync(file, "utf8"));
    await eventually("it is gone", () => {
      try {
        return !process.kill(pid, 0);
      } catch {
        return true;
      }
    });
  });

  it("is killed when the scaler may not lead any longer", async () => {
    const over = new AbortController();
    const executor = commandExecutor(node("setInterval(() => {}, 1000)"));
    const ended = executor.scale(scaleOut(), over.signal, ORDER);
    over.abort();
    await expect(ended).rejects.toThrow("the command failed with");
  });

  it("names every problem of its options", () => {
    const wrong = { args: "x", timeoutMs: 1, comand: "x" } as unknown as CommandExecutorOptions;
    expect(() => commandExecutor(wrong)).toThrow(ConfigError);
    expect(() => commandExecutor(wrong)).toThrow(/did you mean "command"[\s\S]*args must be texts[\s\S]*timeoutMs/);
  });
});
