// Runs a command of this workspace from nothing but Node 20 and npm: installs the dependencies when they are missing
// or out of date, then runs the command with the workspace's own tools (Node 24 among them) first on PATH.
//
//   node scripts/bootstrap.mjs vitest run        one of node_modules/.bin
//   node scripts/bootstrap.mjs pnpm -r build     pnpm itself, which need not be on PATH
//   node scripts/bootstrap.mjs                   only installs
//
// Plain JavaScript without dependencies, because it runs before there are any.
import { spawn, spawnSync } from "node:child_process";
import { constants } from "node:os";
import { delimiter, join } from "node:path";
import { isInstalled, recordInstall } from "./lib/install-stamp.mjs";
import { findPnpm } from "./lib/pnpm.mjs";
import { ROOT } from "./lib/root.mjs";

const [command, ...args] = process.argv.slice(2);

if (!isInstalled(ROOT)) install();
if (command === "pnpm") {
  const pnpm = findPnpm();
  run(pnpm.command, [...pnpm.args, ...args]);
} else if (command !== undefined) {
  run(command, args);
}

function install() {
  const pnpm = findPnpm();
  console.error(`Installing the dependencies with pnpm ${pnpm.version} …`);
  // Output goes to stderr, so that stdout is the command's alone. node_modules laid out by another package manager are
  // replaced without asking: there may be nobody to ask.
  const installed = spawnSync(pnpm.command, [...pnpm.args, "install", "--config.confirmModulesPurge=false"], {
    cwd: ROOT,
    stdio: ["ignore", 2, 2],
  });
  if (installed.status !== 0) {
    console.error(`The dependencies could not be installed: ${installed.error?.message ?? "see above"}`);
    process.exit(installed.status ?? 1);
  }
  recordInstall(ROOT);
}

/**
 * @param {string} file
 * @param {string[]} parameters
 */
function run(file, parameters) {
  const path = [join(ROOT, "node_modules", ".bin"), process.env["PATH"]].join(delimiter);
  const child = spawn(file, parameters, {
    cwd: ROOT,
    stdio: "inherit",
    // turbo would report its use to its makers.
    env: { ...process.env, PATH: path, DO_NOT_TRACK: "1" },
  });

  for (const signal of /** @type {const} */ (["SIGINT", "SIGTERM", "SIGHUP"])) {
    process.on(signal, () => {
      // Ctrl-C at a terminal reaches the child by itself; a second SIGINT would tell it to drop everything.
      if (signal !== "SIGINT" || !process.stdin.isTTY) child.kill(signal);
    });
  }
  child.on("error", (error) => {
    console.error(`${file} could not be started: ${error.message}`);
    process.exitCode = 127;
  });
  child.on("exit", (code, signal) => {
    process.exitCode = code ?? 128 + constants.signals[signal ?? "SIGTERM"];
  });
}
