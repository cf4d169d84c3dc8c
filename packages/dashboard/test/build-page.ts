/** Builds the page as it is now: from the sources, nothing else has done it. */
import { fileURLToPath } from "node:url";
import { build } from "vite";

const PACKAGE = fileURLToPath(new URL("..", import.meta.url));

export async function buildPage(): Promise<void> {
  await build({ configFile: `${PACKAGE}vite.config.ts`, root: `${PACKAGE}ui`, logLevel: "error" });
}
