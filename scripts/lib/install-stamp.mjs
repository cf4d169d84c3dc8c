import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { packageFolders } from "./package-folders.mjs";

// Inside node_modules, so that it goes when they go.
const STAMP = "node_modules/.cache/redis-batch/installed";

/**
 * Whether what is installed under `root` was installed from the package.json files and lockfile that are there now.
 *
 * @param {string} root
 */
export function isInstalled(root) {
  const stamp = join(root, STAMP);
  if (!existsSync(stamp) || readFileSync(stamp, "utf8") !== fingerprint(root)) return false;
  return packageFolders(root).every(
    (folder) => !hasDependencies(join(root, folder)) || existsSync(join(root, folder, "node_modules")),
  );
}

/**
 * Remembers that the install that has just succeeded was for the present files.
 *
 * @param {string} root
 */
export function recordInstall(root) {
  const stamp = join(root, STAMP);
  mkdirSync(dirname(stamp), { recursive: true });
  writeFileSync(stamp, fingerprint(root));
}

/** @param {string} root */
function fingerprint(root) {
  // Node and esbuild are installed as binaries: a checkout shared with a container of another platform needs its own.
  const hash = createHash("sha256").update(`${process.platform} ${process.arch}\n`);
  const manifests = packageFolders(root).map((folder) => join(folder, "package.json"));
  for (const file of ["pnpm-lock.yaml", "pnpm-workspace.yaml", ...manifests]) {
    hash.update(`${file}\n`).update(readFileSync(join(root, file)));
  }
  return hash.digest("hex");
}

/** @param {string} folder */
function hasDependencies(folder) {
  const manifest = /** @type {{ dependencies?: object, devDependencies?: object }} */ (
    JSON.parse(readFileSync(join(folder, "package.json"), "utf8"))
  );
  return Object.keys({ ...manifest.dependencies, ...manifest.devDependencies }).length > 0;
}
