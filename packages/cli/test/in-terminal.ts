import { execFileSync } from "node:child_process";
import { type UsedServer, uniqueName } from "@redis-batch/test-support";
import type { Cli } from "./cli.ts";

/** A command in a terminal of its own. */
export interface Pane {
  readonly screen: () => string;
  readonly press: (...keys: string[]) => void;
  readonly resize: (columns: number, rows: number) => void;
}

/** The same for `monitor --watch`. */
export function inTerminal(
  cli: Cli,
  redis: UsedServer,
  args: readonly string[],
  use: (pane: Pane) => Promise<void>,
): Promise<void> {
  return inPane(cli, redis, ["monitor", ...args, "--watch", "--interval", "100ms"], use);
}

export async function inPane(
  cli: Cli,
  redis: UsedServer,
  words: readonly string[],
  use: (pane: Pane) => Promise<void>,
): Promise<void> {
  const socket = uniqueName("tmux");
  const tmux = (...args: string[]) =>
    execFileSync("tmux", ["-L", socket, "-f", "/dev/null", ...args], { encoding: "utf8" });
  const line = `env REDIS_URL=${redis.server.url} ${cli.env()["RB"] ?? ""} ${words.join(" ")}`;
  // What the terminal is left like is seen by who comes after it: how it ended, its settings, and what is typed then.
  tmux(
    "new-session",
    "-d",
    "-x",
    "100",
    "-y",
    "16",
    `${line}; echo ended $?; stty -a; read -r line; echo "read $line"; cat`,
  );
  try {
    await use({
      screen: () => tmux("capture-pane", "-p"),
      press: (...keys) => tmux("send-keys", ...keys),
      resize: (columns, rows) => tmux("resize-window", "-x", String(columns), "-y", String(rows)),
    });
  } finally {
    tmux("kill-server");
  }
}
