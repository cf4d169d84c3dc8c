import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { eventually, findServer, ownServersOnly, runWorker, type WorkerProcess } from "../src/index.ts";
import { isProcessAlive } from "../src/processes/process-state.ts";
import { findExecutable } from "../src/servers/executable.ts";
import { sweepScratchFolders } from "../src/servers/scratch-folder.ts";

ownServersOnly("several");

interface Started {
  readonly run: WorkerProcess;
  readonly pid: number;
  readonly folder: string;
}

/** A folder for temporary files of its own, so that other runs' sweeps leave it alone. */
let temporary: string;
beforeEach(() => {
  temporary = mkdtempSync(join(tmpdir(), "rbt-"));
  return () => rmSync(temporary, { recursive: true, force: true });
});

async function startRun(env: Record<string, string> = {}): Promise<Started> {
  const run = await runWorker(new URL("scripts/start-server.ts", import.meta.url), {
    env: { TMPDIR: temporary, ...env },
  });
  onTestFinished(() => run[Symbol.asyncDispose]());
  const { pid, folder } = JSON.parse(await run.waitForLine(/^\{/)) as { pid: number; folder: string };
  expect(isProcessAlive(pid)).toBe(true);
  expect(folder.startsWith(temporary)).toBe(true);
  return { run, pid, folder };
}

describe("a run that ends without stopping its servers", () => {
  test.each(["exit", "crash"])("takes them and their folders with it when it can (%s)", async (how) => {
    const { run, pid, folder } = await startRun();
    run.send(how);
    await run.exited;
    await eventually("the server is gone", () => !isProcessAlive(pid));
    expect(existsSync(folder)).toBe(false);
  });

  test("by SIGKILL takes its servers with it, and the next run removes their folders", async (context) => {
    if (process.platform !== "linux" || findExecutable("setpriv", process.env["PATH"]) === undefined) {
      context.skip("needs setpriv (util-linux)");
    }
    const { run, pid, folder } = await startRun();
    run.kill("SIGKILL");
    expect(await run.exited).toEqual({ code: null, signal: "SIGKILL" });
    await eventually("the server is gone", () => !isProcessAlive(pid));
    expect(existsSync(folder)).toBe(true);
    sweepScratchFolders(temporary);
    expect(existsSync(folder)).toBe(false);
  });

  test("by SIGKILL where servers outlive it leaves them to the next run", async (context) => {
    if (findExecutable("ps", process.env["PATH"]) === undefined) context.skip("needs ps, to recognise the server");
    const source = await findServer();
    if (source.kind !== "binary") throw new Error("ownServersOnly lets only server programs through");
    // Everything the server's wrapper needs, and no setpriv.
    const path = join(temporary, "bin");
    mkdirSync(path);
    for (const name of ["dirname", "readlink"]) {
      const program = findExecutable(name, process.env["PATH"]);
      if (program !== undefined) symlinkSync(program, join(path, name));
    }
    const { run, pid, folder } = await startRun({ PATH: path, REDIS_BATCH_TEST_SERVER: source.path });
    run.kill("SIGKILL");
    await run.exited;
    expect(isProcessAlive(pid)).toBe(true);
    sweepScratchFolders(temporary);
    await eventually("the server is gone", () => !isProcessAlive(pid));
    expect(existsSync(folder)).toBe(false);
  });

  test("is not swept while it goes on", async () => {
    const { run, pid, folder } = await startRun();
    sweepScratchFolders(temporary);
    expect(isProcessAlive(pid)).toBe(true);
    expect(existsSync(folder)).toBe(true);
    run.kill();
  });
});
