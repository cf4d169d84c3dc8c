import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { findExecutable, identifyServer, isExecutable } from "./executable.ts";
import { runFetchScript } from "./fetch-script.ts";
import { isSameVersion, SERVER_VERSIONS, type ServerVersion } from "./server-versions.ts";

const CACHE_FOLDER = fileURLToPath(new URL("../../../../.cache/servers/", import.meta.url));
const NEEDED_PROGRAMS = ["bash", "apt-get", "apt-cache", "dpkg", "flock"] as const;

/** Says why Debian's packages cannot be used on this machine; `undefined` when they can. */
export function whyNoDebian(searchPath: string | undefined): string | undefined {
  const missing = NEEDED_PROGRAMS.filter((name) => findExecutable(name, searchPath) === undefined);
  return missing.length === 0 ? undefined : `no ${missing.join(", ")} on the PATH`;
}

function cachedServerPath(version: ServerVersion): string {
  return join(CACHE_FOLDER, version, "bin", `${SERVER_VERSIONS[version].flavour}-server`);
}

/**
 * The path of a named version's server, fetched from Debian when it is not in the checkout's cache yet (some seconds,
 * some 30 MB). Safe to call from several processes at once.
 *
 * @throws {Error} when it cannot be fetched, or when Debian's suite has moved on to another version.
 */
export async function fetchDebianServer(version: ServerVersion, env: NodeJS.ProcessEnv): Promise<string> {
  const path = cachedServerPath(version);
  if (!isExecutable(path)) {
    const { flavour, suites } = SERVER_VERSIONS[version];
    await runFetchScript(version, "fetch-server.sh", [suites.join(","), flavour, join(CACHE_FOLDER, version)], env);
  }
  const identity = await identifyServer(path);
  if (!isSameVersion(version, identity)) {
    const [suite] = SERVER_VERSIONS[version].suites;
    throw new Error(
      `Debian ${suite} holds ${identity.flavour} ${identity.version}, no longer ${version}: ` +
        "correct the table in packages/test-support/src/servers/server-versions.ts, then remove .cache/servers",
    );
  }
  return path;
}
