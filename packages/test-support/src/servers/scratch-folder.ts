import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { atExit } from "../processes/exit-sweep.ts";
import { isProcessAlive } from "../processes/process-state.ts";

/** Names the process a folder belongs to. Short, because a unix socket's path holds 107 bytes. */
const FOLDER_NAME = /^rb-(?<pid>\d+)-/;

/** The file in which a server notes its process id. */
export const PID_FILE = "server.pid";

let swept = false;

/** A folder for one server's files, removed by {@link removeScratchFolder} or at the latest by a later run. */
export function createScratchFolder(): string {
  if (!swept) sweepScratchFolders();
  swept = true;
  const folder = mkdtempSync(join(tmpdir(), `rb-${process.pid}-`));
  owed.set(
    folder,
    atExit(() => rmSync(folder, { recursive: true, force: true })),
  );
  return folder;
}

const owed = new Map<string, () => void>();

export function removeScratchFolder(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
  owed.get(folder)?.();
  owed.delete(folder);
}

/** Removes leftovers of killed runs: their folders, and servers that outlived them. */
export function sweepScratchFolders(root = tmpdir()): void {
  for (const name of readdirSync(root)) {
    const pid = FOLDER_NAME.exec(name)?.groups?.["pid"];
    if (pid === undefined || isProcessAlive(Number(pid))) continue;
    const folder = join(root, name);
    killLeftServer(folder);
    // Another run may be sweeping the same folder.
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  }
}

/** If the kernel does not do it (see dyingWithParent), a server may have outlived the run that started it. */
function killLeftServer(folder: string): void {
  try {
    const pid = Number(readFileSync(join(folder, PID_FILE), "utf8"));
    // The pid may belong to another process by now: ours has the folder in its command line.
    const commandLine = execFileSync("ps", ["-o", "args=", "-p", String(pid)], { encoding: "utf8" });
    if (commandLine.includes(folder)) process.kill(pid, "SIGKILL");
  } catch {
    // No such file, process, or `ps`: nothing to kill.
  }
}
