import { spawn } from "node:child_process";
import { encodeShownJson, OptionsReader, showName } from "@redis-batch/core/internal";
import type { Executor } from "../executor.ts";
import { instruct } from "./instruction.ts";
import { OrderedWorkforce } from "./ordered-workforce.ts";

export interface CommandExecutorOptions {
  /** The program, as for `spawn`: a path, or a name on the PATH. No shell is involved. */
  readonly command: string;
  /** Its arguments. Default none. What is decided is not among them: it comes by environment and standard input. */
  readonly args?: readonly string[] | undefined;
  /** Added to this process's environment; `undefined` takes a variable away. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Where it runs. Default: where this process does. */
  readonly cwd?: string | undefined;
  /** How long it may take, in milliseconds, 100 to 600,000. Default 30,000. It is killed afterwards. */
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

// Of what it says on standard error, this much helps to find out what went wrong.
const QUOTED_CHARACTERS = 500;

/**
 * An executor that runs a command with every order: a {@link ScaleInstruction} as JSON on standard input, and
 * `REDIS_BATCH_STREAM`, `_GROUP`, `_DIRECTION`, `_CURRENT`, `_DESIRED`, `_TERM`, `_SEQUENCE`, `_REASON` in its environment.
 * Exit code 0 means that it was ordered; anything else that it was not, and the next decision tries again. Who works is
 * told by the heartbeats.
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
      if (end.reason !== null) throw new Error(`the command ended with ${end.reason}${quote(end.stderr)}`);
      workforce.told(decision.desired);
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
  /** `null`: all went well. */
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
    // A command that does not read its input closes it, and may still do what it shall.
    child.stdin.on("error", () => {});
    child.stdin.end(input);
    child.once("error", (error: NodeJS.ErrnoException) => resolve({ reason: error.code ?? error.name, stderr }));
    // Not "close": what it has started may keep its output open for as long as it lives.
    child.once("exit", (code, end) => {
      resolve({ reason: code === 0 ? null : (end ?? `exit code ${code}`), stderr });
    });
  });
}

function quote(stderr: string): string {
  const text = stderr.trim();
  return text === "" ? "" : `: ${text}`;
}
