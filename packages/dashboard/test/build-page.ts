/** Builds the page as it is now: from the sources, nothing else has done it. */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "vite";

const PACKAGE = fileURLToPath(new URL("..", import.meta.url));
const PAGE = join(PACKAGE, ".cache/page");

/** Several files of tests do it at the same time: a page that is the same already is left alone, so that nobody misses it. */
export async function buildPage(): Promise<void> {
  mkdirSync(join(PACKAGE, ".cache"), { recursive: true });
  const made = mkdtempSync(join(PACKAGE, ".cache/page-"));
  const to = { outDir: made, emptyOutDir: true };
  await build({ configFile: `${PACKAGE}vite.config.ts`, root: `${PACKAGE}ui`, logLevel: "error", build: to });
  if (contentsOf(PAGE) !== contentsOf(made)) {
    const old = `${made}-old`;
    if (existsSync(PAGE)) renameSync(PAGE, old);
    renameSync(made, PAGE);
    rmSync(old, { recursive: true, force: true });
  }
  rmSync(made, { recursive: true, force: true });
}

/** The names of the files, which change with what is in them, and the one whose name stays. */
function contentsOf(folder: string): string {
  if (!existsSync(join(folder, "index.html"))) return "";
  const names = readdirSync(folder, { recursive: true, encoding: "utf8" });
  return [...names.toSorted(), readFileSync(join(folder, "index.html"), "utf8")].join("\n");
}
