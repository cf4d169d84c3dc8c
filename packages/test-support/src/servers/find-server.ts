import { fetchDebianServer, whyNoDebian } from "./debian-cache.ts";
import { whyNoDocker } from "./docker-engine.ts";
import { findExecutable, identifyServer, isExecutable } from "./executable.ts";
import {
  DEFAULT_SERVER_VERSION,
  isSameVersion,
  parseRequestedServer,
  SERVER_VERSIONS,
  type ServerIdentity,
  type ServerVersion,
} from "./server-versions.ts";

/** The source of a test's server. */
export type ServerSource =
  /** A running server that is not ours: shared, and must not be stopped. */
  | { readonly kind: "external"; readonly url: string }
  /** A program on this machine. */
  | ({ readonly kind: "binary"; readonly path: string } & ServerIdentity)
  /** A container image. */
  | { readonly kind: "docker"; readonly image: string };

export interface FindServerOptions {
  /** The environment to read, by default the process's own. */
  readonly env?: NodeJS.ProcessEnv;
  /** Exactly this version; takes precedence over both variables. */
  readonly version?: ServerVersion;
}

/** There is no server to test against on this machine; the message says what to install or set. */
export class NoServerError extends Error {
  override readonly name = "NoServerError";
}

/**
 * Finds a server to test against: `REDIS_BATCH_TEST_URL`, `REDIS_BATCH_TEST_SERVER` (a version name or a path), the
 * PATH, Docker, and last Debian's package, fetched into the checkout's cache.
 *
 * @throws {NoServerError} when there is none.
 */
export async function findServer(options: FindServerOptions = {}): Promise<ServerSource> {
  const { env = process.env, version } = options;
  if (version !== undefined) return findVersion(version, env);
  const url = env["REDIS_BATCH_TEST_URL"];
  if (url) return { kind: "external", url };
  const requested = parseRequestedServer(env["REDIS_BATCH_TEST_SERVER"]);
  switch (requested.kind) {
    case "version":
      return findVersion(requested.version, env);
    case "binary":
      if (!isExecutable(requested.path)) {
        throw new NoServerError(`REDIS_BATCH_TEST_SERVER names ${requested.path}, which is not an executable file`);
      }
      return binary(requested.path);
    case "any":
      return findAny(env);
  }
}

async function findVersion(version: ServerVersion, env: NodeJS.ProcessEnv): Promise<ServerSource> {
  const installed = await findOnPath(env);
  if (installed !== undefined && isSameVersion(version, installed)) return installed;
  const debian = whyNoDebian(env["PATH"]);
  if (debian === undefined) return binary(await fetchDebianServer(version, env));
  const docker = await whyNoDocker(env);
  if (docker === undefined) return { kind: "docker", image: SERVER_VERSIONS[version].image };
  throw new NoServerError(
    `No ${version} to test against. On the PATH: ${installed ? `${installed.flavour} ${installed.version}` : "none"}. ` +
      `Debian packages: ${debian}. Docker: ${docker}. ` +
      "Start Docker, or set REDIS_BATCH_TEST_SERVER to the path of such a server.",
  );
}

async function findAny(env: NodeJS.ProcessEnv): Promise<ServerSource> {
  const installed = await findOnPath(env);
  if (installed !== undefined) return installed;
  const docker = await whyNoDocker(env);
  if (docker === undefined) return { kind: "docker", image: SERVER_VERSIONS[DEFAULT_SERVER_VERSION].image };
  const debian = whyNoDebian(env["PATH"]);
  if (debian === undefined) return binary(await fetchDebianServer(DEFAULT_SERVER_VERSION, env));
  throw new NoServerError(
    "No Redis or Valkey server to test against. Install one (apt-get install redis-server, brew install redis), " +
      "start Docker, or set REDIS_BATCH_TEST_URL to a running server or REDIS_BATCH_TEST_SERVER to a server binary. " +
      `On the PATH: no redis-server, no valkey-server. Docker: ${docker}. Debian packages: ${debian}.`,
  );
}

type BinarySource = Extract<ServerSource, { kind: "binary" }>;

async function findOnPath(env: NodeJS.ProcessEnv): Promise<BinarySource | undefined> {
  const path = findExecutable("redis-server", env["PATH"]) ?? findExecutable("valkey-server", env["PATH"]);
  return path === undefined ? undefined : binary(path);
}

async function binary(path: string): Promise<BinarySource> {
  return { kind: "binary", path, ...(await identifyServer(path)) };
}
