import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { findChromium } from "../src/index.ts";

/** A folder as the whole PATH, to be filled with programs. */
let path: string;
beforeEach(() => {
  path = mkdtempSync(join(tmpdir(), "rbt-path-"));
  return () => rmSync(path, { recursive: true, force: true });
});

function install(name: string): string {
  const program = join(path, name);
  writeFileSync(program, "#!/bin/sh\n", { mode: 0o755 });
  return program;
}

describe("a browser for the tests", () => {
  test("is the one of the PATH, Chromium before Chrome", async () => {
    const chrome = install("google-chrome");
    expect(await findChromium({ PATH: path })).toEqual({ path: chrome });
    const chromium = install("chromium");
    expect(await findChromium({ PATH: path })).toEqual({ path: chromium });
  });

  test("is the one that REDIS_BATCH_CHROMIUM names, which must be there", async () => {
    install("chromium");
    const named = install("another");
    expect(await findChromium({ PATH: path, REDIS_BATCH_CHROMIUM: named })).toEqual({ path: named });
    const missing = { PATH: path, REDIS_BATCH_CHROMIUM: join(path, "missing") };
    await expect(findChromium(missing)).rejects.toThrow("is not an executable file");
  });

  test("is none, with the reason, where there is none and it cannot be installed", async () => {
    expect(await findChromium({ PATH: path })).toEqual({
      skipReason: expect.stringMatching(
        /^no chromium on the PATH, and Debian's cannot be had: (only root|no bash)/,
      ) as string,
    });
  });
});
