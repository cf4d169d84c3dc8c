import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { isInstalled, recordInstall } from "./install-stamp.mjs";

describe("isInstalled", () => {
  let root: string;

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), "rb-stamp-"));
    for (const folder of ["packages/core/node_modules", "apps", "node_modules"]) {
      mkdirSync(join(root, folder), { recursive: true });
    }
    write("package.json", "{}");
    write("pnpm-lock.yaml", "lockfileVersion: '9.0'");
    write("pnpm-workspace.yaml", "packages: []");
    write("packages/core/package.json", JSON.stringify({ devDependencies: { vitest: "catalog:" } }));
  });
  afterEach(() => rmSync(root, { recursive: true }));

  it("is false before the first install", () => {
    expect(isInstalled(root)).toBe(false);
  });

  it("is true after an install, until something it depends on changes", () => {
    recordInstall(root);
    expect(isInstalled(root)).toBe(true);
    write("packages/core/package.json", JSON.stringify({ devDependencies: { vitest: "^5" } }));
    expect(isInstalled(root)).toBe(false);
  });

  it.each(["pnpm-lock.yaml", "pnpm-workspace.yaml", "package.json"])("is false when %s has changed", (file) => {
    recordInstall(root);
    write(file, "{ }");
    expect(isInstalled(root)).toBe(false);
  });

  it("is false when a package has been added", () => {
    recordInstall(root);
    mkdirSync(join(root, "apps/worker"));
    write("apps/worker/package.json", "{}");
    expect(isInstalled(root)).toBe(false);
  });

  it.each(["node_modules", "packages/core/node_modules"])("is false when %s is gone", (folder) => {
    recordInstall(root);
    rmSync(join(root, folder), { recursive: true });
    expect(isInstalled(root)).toBe(false);
  });

  function write(file: string, content: string): void {
    writeFileSync(join(root, file), content);
  }
});
