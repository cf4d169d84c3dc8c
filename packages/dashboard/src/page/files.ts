/**
 * The page's files by their paths, each compressed by gzip. Here they are read from the folder that `vite build` writes; in
 * the built package this module is replaced by one that holds them (`embed-page.ts`).
 */
import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

const FOLDER = fileURLToPath(new URL("../../.cache/page", import.meta.url));

/** @throws when the page has not been built */
export function pageFiles(): ReadonlyMap<string, Buffer> {
  const entries = readdirSync(FOLDER, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return new Map(
    entries.map((entry) => {
      const path = join(entry.parentPath, entry.name);
      return [relative(FOLDER, path).replaceAll("\\", "/"), gzipSync(readFileSync(path), { level: 9 })];
    }),
  );
}
