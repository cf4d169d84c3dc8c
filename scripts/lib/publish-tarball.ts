import { spawnSync } from "node:child_process";
import { ROOT } from "./root.mjs";

/** What became of a publication: `there` if the registry has this version already. */
export type Publication = "published" | "there";

/**
 * Publishes a packed package by npm, or only tries it. Where it comes from is signed if NPM_CONFIG_PROVENANCE is set, as in
 * the release workflow.
 *
 * @throws {Error} with npm's output
 */
export function publishTarball(
  tarball: string,
  { isReal, env = {} }: { readonly isReal: boolean; readonly env?: Readonly<Record<string, string>> },
): Publication {
  const args = ["publish", tarball, "--access", "public", "--tag", "latest", ...(isReal ? [] : ["--dry-run"])];
  const { status, stdout, stderr, error } = spawnSync("npm", args, {
    cwd: ROOT,
    encoding: "utf8",
    // npm may be configured to print nothing.
    env: { ...process.env, npm_config_loglevel: "notice", ...env },
  });
  if (status === 0) return "published";
  const output = `${error?.message ?? ""}${stdout}${stderr}`;
  if (isReal && /previously published|EPUBLISHCONFLICT/.test(output)) return "there";
  throw new Error(`npm ${args.join(" ")} failed:\n${output}`);
}
