import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";

/**
 * The workspace's folders with a package.json, relative to `root`. They are those of pnpm-workspace.yaml, which bare Node
 * cannot parse.
 *
 * @param {string} root
 * @returns {string[]}
 */
export function packageFolders(root) {
  const nested = ["packages", "apps"].flatMap((parent) =>
    existsSync(join(root, parent))
      ? readdirSync(join(root, parent))
          .toSorted()
          .map((name) => join(parent, name))
      : [],
  );
  return [".", ...nested, "benchmarks", "chaos", "docs", "examples"].filter((folder) =>
    existsSync(join(root, folder, "package.json")),
  );
}
