import { spawn } from "node:child_process";
import { showName } from "@redis-batch/core";
import { encodeShownJson } from "@redis-batch/core/internal/names";
import {
  type DefaultsOf,
  defaultsOf,
  type OptionsOf,
  OptionsReader,
  type PolicyOf,
} from "@redis-batch/core/internal/options";
import type { Executor } from "../executor.ts";
import { COMMAND_SPEC } from "./command-spec.ts";
import { instruct } from "./instruction.ts";
import { OrderedWorkforce } from "./ordered-workforce.ts";
import { type Program, type ProgramOptions, readProgram } from "./program.ts";
import { PROGRAM_SPEC } from "./program-spec.ts";

export interface CommandExecutorOptions extends ProgramOptions, OptionsOf<typeof COMMAND_SPEC> {}

/** The values of options that are not given. */
export const COMMAND_DEFAULTS: DefaultsOf<typeof COMMAND_SPEC> = defaultsOf(COMMAND_SPEC);

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

function resolveCommandOptions(options: CommandExecutorOptions): Program & PolicyOf<typeof COMMAND_SPEC> {
  const reader = new OptionsReader("commandExecutor", options, Object.keys({ ...PROGRAM_SPEC, ...COMMAND_SPEC }));
  return reader.finish({ ...readProgram(reader), ...reader.read(COMMAND_SPEC) });
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
