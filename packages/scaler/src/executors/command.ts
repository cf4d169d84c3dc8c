import { spawn } from "node:child_process";
import { showName } from "@redis-batch/core";
import { encodeShownJson } from "@redis-batch/core/internal/names";
import { OptionsReader } from "@redis-batch/core/internal/options";
import type { Executor } from "../executor.ts";
import { instruct } from "./instruction.ts";
import { OrderedWorkforce } from "./ordered-workforce.ts";

export interface CommandExecutorOptions {
  /** The program, as for `spawn`: a path, or a name on the PATH. No shell is involved. */
  readonly command: string;
  /** Its arguments. Default: none. The order is not among them: it is in the environment and on standard input. */
  readonly args?: readonly string[] | undefined;
  /** Added to this process's environment; `undefined` removes a variable. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Its working directory. Default: that of this process. */
  readonly cwd?: string | undefined;
  /** Maximum run time, in milliseconds, 100 to 600,000. Default 30,000. Then it is killed. */
  readonly timeoutMs?: number | undefined;
}

/** The values of options that are not given. */
export const COMMAND_DEFAULTS = { timeoutMs: 30_000 } as const;

const KNOWN = [
  "command",
  "args",
  "env",
  "cwd",
  "timeoutMs",
] as const satisfies readonly (keyof CommandExecutorOptions)[];

// This much of its standard error is quoted in errors.
const QUOTED_CHARACTERS = 500;

/**
 * An executor that runs a command with every order: a {@link ScaleInstruction} as JSON on standard input, and
 * `REDIS_BATCH_STREAM`, `_GROUP`, `_DIRECTION`, `_CURRENT`, `_DESIRED`, `_TERM`, `_SEQUENCE`, `_REASON` in its environment.
 * Exit code 0 means that the order was accepted; any other code that it was not, and the next decision tries again.
 * Active consumers are known by their heartbeats.
 *
 * @throws {ConfigError} naming every problem
 */
export function commandExecutor(options: CommandExecutorOptions): Executor {
  const { command, args, env, cwd, timeoutMs } = resolveCommandOptions(options);
  const workforce = new OrderedWorkforce();
  return {
    name: `command ${command}`,
    status: async () => workforce.status(),
    async scale(decision, signal, order) {
      const instruction = instruct(decision, order);
      const facts = {
        REDIS_BATCH_STREAM: showName(order.stream),
        REDIS_BATCH_GROUP: showName(order.group),
        REDIS_BATCH_DIRECTION: decision.direction,
        REDIS_BATCH_CURRENT: String(decision.current),
        REDIS_BATCH_DESIRED: String(decision.desired),
        REDIS_BATCH_TERM: String(order.term),
        REDIS_BATCH_SEQUENCE: String(order.sequence),
        REDIS_BATCH_REASON: decision.reason,
      };
      const timeout = AbortSignal.timeout(timeoutMs);
      const end = await run(command, args, {
        ...{ env: { ...process.env, ...env, ...facts }, cwd },
        ...{ input: encodeShownJson(instruction), signal: AbortSignal.any([signal, timeout]) },
      });
      if (timeout.aborted) throw new Error(`the command did not end within ${timeoutMs} ms`);
      if (end.reason !== null) throw new Error(`the command failed with ${end.reason}${quote(end.stderr)}`);
      workforce.ordered(decision.desired);
    },
  };
}

function resolveCommandOptions(options: CommandExecutorOptions) {
  const reader = new OptionsReader("commandExecutor", options, KNOWN);
  const { args = [], env = {}, cwd } = options;
  if (!Array.isArray(args) || !args.every((arg) => typeof arg === "string")) reader.problem("args must be texts");
  const timeoutMs = reader.integer("timeoutMs", { default: COMMAND_DEFAULTS.timeoutMs, min: 100, max: 600_000 });
  return reader.finish({ command: reader.text("command"), args: [...args], env: { ...env }, cwd, timeoutMs });
}

interface End {
  /** `null`: success. */
  readonly reason: string | null;
  readonly stderr: string;
}

/** Never rejects. */
function run(
  command: string,
  args: readonly string[],
  options: {
    readonly env: NodeJS.ProcessEnv;
    readonly cwd: string | undefined;
    readonly input: string;
    readonly signal: AbortSignal;
  },
): Promise<End> {
  const { env, cwd, input, signal } = options;
  return new Promise((resolve) => {
    let stderr = "";
    const child = spawn(command, args, {
      ...{ env, cwd, signal, killSignal: "SIGKILL", shell: false, stdio: ["pipe", "inherit", "pipe"] },
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      stderr = (stderr + text).slice(-QUOTED_CHARACTERS);
    });
    // A command that does not read its input closes it, but may still succeed.
    child.stdin.on("error", () => {});
    child.stdin.end(input);
    child.once("error", (error: NodeJS.ErrnoException) => resolve({ reason: error.code ?? error.name, stderr }));
    // Not "close": processes that it has started may keep its output open as long as they live.
    child.once("exit", (code, end) => {
      resolve({ reason: code === 0 ? null : (end ?? `exit code ${code}`), stderr });
    });
  });
}

function quote(stderr: string): string {
  const text = stderr.trim();
  return text === "" ? "" : `: ${text}`;
}
