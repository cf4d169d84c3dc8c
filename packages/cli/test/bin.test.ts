/** The file that a package manager links to: what is in it, before anything of `dist/` is loaded. */
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, it } from "vitest";

const PACKAGE = fileURLToPath(new URL("..", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "rb-bin-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** Runs the program, of a package that says it needs this Node, through a link as package managers make it. */
function run(
  node: string,
  name: string,
): { readonly status: number | null; readonly stdout: string; readonly stderr: string } {
  const home = join(folder, name);
  mkdirSync(join(home, "dist"), { recursive: true });
  cpSync(join(PACKAGE, "bin"), join(home, "bin"), { recursive: true });
  writeFileSync(join(home, "dist/bin.js"), 'console.log("loaded");\n');
  writeFileSync(join(home, "package.json"), JSON.stringify({ type: "module", engines: { node } }));
  const link = join(folder, `link-to-${name}`);
  symlinkSync(join(home, "bin/redis-batch.js"), link);
  const { status, stdout, stderr } = spawnSync(link, { encoding: "utf8" });
  return { status, stdout, stderr };
}

it("is a program by itself, through a link as well, on the oldest Node of the package", () => {
  const [major, minor] = process.versions.node.split(".");
  expect(run(`>=${major}.${minor}`, "same")).toEqual({ status: 0, stdout: "loaded\n", stderr: "" });
  // 9 comes before 10.
  expect(run(">=9.19", "much-older")).toEqual({ status: 0, stdout: "loaded\n", stderr: "" });
});

it("tells a Node that is too old so, and loads nothing", () => {
  const [major, minor] = process.versions.node.split(".").map(Number);
  const next = `${major}.${Number(minor) + 1}`;
  const stderr = `error: redis-batch needs Node ${next} or newer; this is ${process.version}\n`;
  expect(run(`>=${next}`, "newer")).toEqual({ status: 1, stdout: "", stderr });
});

it("reads the range of the package as it is written", () => {
  const { engines } = JSON.parse(readFileSync(join(PACKAGE, "package.json"), "utf8")) as { engines: { node: string } };
  expect(engines.node).toMatch(/^>=\d+\.\d+$/);
});
