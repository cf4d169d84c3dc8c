/** Server flavours that our tests know by name. */
export type ServerFlavour = "redis" | "valkey";

/** Where Debian keeps one named server version. */
export interface DebianRelease {
  readonly flavour: ServerFlavour;
  /** The suite that holds the server, followed by those that only lend it libraries. */
  readonly suites: readonly string[];
  /** The container image of the same version, for machines that have Docker and no Debian. */
  readonly image: string;
}

/**
 * The named versions the suites run against. A suite moves on now and then: the version a fetched server reports is
 * compared with its name, so a stale row is an error that names this table and never a silently different server.
 */
export const SERVER_VERSIONS = {
  "redis-7.0": { flavour: "redis", suites: ["bookworm"], image: "redis:7.0" },
  "redis-8.0": { flavour: "redis", suites: ["trixie"], image: "redis:8.0" },
  "redis-8.6": { flavour: "redis", suites: ["experimental", "sid"], image: "redis:8.6" },
  "valkey-8.0": { flavour: "valkey", suites: ["bookworm-backports", "bookworm"], image: "valkey/valkey:8.0" },
  "valkey-8.1": { flavour: "valkey", suites: ["trixie"], image: "valkey/valkey:8.1" },
  "valkey-9.1": { flavour: "valkey", suites: ["sid"], image: "valkey/valkey:9.1" },
} as const satisfies Record<string, DebianRelease>;

export type ServerVersion = keyof typeof SERVER_VERSIONS;

/** What is fetched when nothing was asked for and the machine has no server of its own. */
export const DEFAULT_SERVER_VERSION: ServerVersion = "redis-7.0";

export const SERVER_VERSION_NAMES = Object.keys(SERVER_VERSIONS) as readonly ServerVersion[];

export function isServerVersion(name: string): name is ServerVersion {
  return Object.hasOwn(SERVER_VERSIONS, name);
}

/** What REDIS_BATCH_TEST_SERVER may say. */
export type RequestedServer =
  | { readonly kind: "any" }
  | { readonly kind: "version"; readonly version: ServerVersion }
  | { readonly kind: "binary"; readonly path: string };

/**
 * Reads the value of REDIS_BATCH_TEST_SERVER: a version name, an absolute path to a server binary, or nothing.
 *
 * @throws {Error} naming the known versions when it is neither.
 */
export function parseRequestedServer(value: string | undefined): RequestedServer {
  if (value === undefined || value === "") return { kind: "any" };
  if (isServerVersion(value)) return { kind: "version", version: value };
  if (value.startsWith("/")) return { kind: "binary", path: value };
  throw new Error(
    `REDIS_BATCH_TEST_SERVER is "${value}"; it takes ${SERVER_VERSION_NAMES.join(", ")}, ` +
      "or an absolute path to a server binary",
  );
}

/** What a server binary says it is. */
export interface ServerIdentity {
  readonly flavour: ServerFlavour;
  /** In full, such as `8.6.3`. */
  readonly version: string;
}

/** Reads the output of `redis-server --version`; `undefined` when it is not the output of a server we know. */
export function parseServerIdentity(output: string): ServerIdentity | undefined {
  const match = /\b(?<flavour>redis|valkey) server v=(?<version>\d+\.\d+\.\d+)/i.exec(output);
  const version = match?.groups?.["version"];
  if (version === undefined) return undefined;
  return { flavour: match?.groups?.["flavour"]?.toLowerCase() === "valkey" ? "valkey" : "redis", version };
}

/** Whether a server is what a version name promises: the same flavour, major and minor number. */
export function isSameVersion(name: ServerVersion, identity: ServerIdentity): boolean {
  const [major, minor] = identity.version.split(".");
  return `${identity.flavour}-${major}.${minor}` === name;
}
