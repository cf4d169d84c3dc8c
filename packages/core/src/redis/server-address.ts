/**
 * Where a server is, as a URL says it. The same forms in the API, the command line and the environment:
 *
 * - `redis://[user:password@]host[:6379][/db]`
 * - `unix://[user:password@]/path/to/socket`
 * - `redis+sentinel://[user:password@]host[:26379],…/master[/db]`
 * - `redis+cluster://[user:password@]host[:6379],…`
 *
 * `rediss` instead of `redis` is TLS. User and password, and TLS, are those of the servers with the data. Sentinels have
 * `?sentinelUsername=…&sentinelPassword=…`, and TLS if the data has it, unless `?sentinelTls=` says `true` or `false`.
 */
import { isIP } from "node:net";
import type { RedisOptions } from "ioredis";
import { ConfigError } from "../errors/errors.ts";
import { decodePart, splitUrl, type UrlParts } from "./redis-url.ts";

/** Nodes through which a Cluster is found, and the settings of the connection to each of its nodes. */
export interface ClusterAddress {
  readonly seeds: readonly { readonly host: string; readonly port: number }[];
  readonly perNode: RedisOptions;
}

type Tell = (problem: string) => void;

interface Scheme {
  readonly form: string;
  readonly read: (parts: UrlParts, isTls: boolean, tell: Tell) => RedisOptions | ClusterAddress;
  readonly parameters: readonly string[];
}

const SCHEMES: Readonly<Record<string, Scheme>> = {
  redis: {
    form: '"redis://user:password@host:6379/0" ("rediss://…" for TLS)',
    read: readServer,
    parameters: ["family"],
  },
  unix: { form: '"unix:///path/to/socket"', read: readSocket, parameters: [] },
  "redis+sentinel": {
    form: '"redis+sentinel://user:password@host1:26379,host2:26379/mymaster" ("rediss+sentinel://…" for TLS)',
    read: readSentinels,
    parameters: ["family", "sentinelUsername", "sentinelPassword", "sentinelTls"],
  },
  "redis+cluster": {
    form: '"redis+cluster://user:password@host1:6379,host2:6379" ("rediss+cluster://…" for TLS)',
    read: readCluster,
    parameters: ["family"],
  },
};

/**
 * Reads the URL of a server, of Sentinels, or of a Cluster. Not read by ioredis, which would take any query parameter as
 * an option, so that a URL could switch off guarantees.
 *
 * @throws {ConfigError} naming every problem and the right form; it never quotes the URL, which may contain a password
 */
export function parseRedisUrl(url: string): RedisOptions | ClusterAddress {
  const problems: string[] = [];
  const tell = (problem: string): void => {
    if (!problems.includes(problem)) problems.push(problem);
  };
  // A secret that was written by `echo` ends with a line break.
  const parts = splitUrl(url.trim(), tell);
  const isTls = parts !== undefined && /^rediss(?=$|\+)/.test(parts.scheme);
  const scheme = parts === undefined ? undefined : schemeOf(parts.scheme);
  if (parts === undefined || scheme === undefined) {
    const forms = Object.values(SCHEMES).map(({ form }) => form);
    throw new ConfigError("redis", [`the URL must look like ${forms.slice(0, -1).join(", ")}, or ${forms.at(-1)}`]);
  }
  const address = scheme.read(parts, isTls, tell);
  refuseParameters(parts, scheme.parameters, tell);
  if (problems.length > 0) throw new ConfigError("redis", [...problems, `the URL must look like ${scheme.form}`]);
  return address;
}

export function isClusterAddress(address: RedisOptions | ClusterAddress): address is ClusterAddress {
  return "seeds" in address;
}

function schemeOf(name: string): Scheme | undefined {
  const plain = name.replace(/^rediss(?=$|\+)/, "redis");
  return Object.hasOwn(SCHEMES, plain) ? SCHEMES[plain] : undefined;
}

function readServer(parts: UrlParts, isTls: boolean, tell: Tell): RedisOptions {
  if (parts.hosts.length !== 1) {
    const several = "a URL of several hosts begins with redis+sentinel:// or redis+cluster://";
    tell(parts.hosts.length === 0 ? "the URL has no host" : several);
  }
  const [{ host, port } = { host: "", port: undefined }] = parts.hosts;
  return {
    ...{ host, port: port ?? 6379 },
    ...login(parts),
    ...database(parts.path, tell),
    ...addressFamily(parts, tell),
    ...(isTls ? { tls: tlsFor([{ host }]) } : {}),
  };
}

function readSocket(parts: UrlParts, _isTls: boolean, tell: Tell): RedisOptions {
  if (parts.hosts.length > 0) tell("a socket has no host: the URL begins with three slashes");
  if (parts.path === "") tell("the URL has no path");
  return { path: `/${decodePart(parts.path, tell)}`, ...login(parts) };
}

function readSentinels(parts: UrlParts, isTls: boolean, tell: Tell): RedisOptions {
  if (parts.hosts.length === 0) tell("the URL has no host");
  const [name = "", db = "", ...more] = parts.path.split("/");
  if (name === "") tell("the path must be the name that the Sentinels have for the master, as in /mymaster");
  if (more.length > 0) tell("the path must be the master's name and, at most, a database number, as in /mymaster/0");
  const sentinels = parts.hosts.map(({ host, port }) => ({ host, port: port ?? 26_379 }));
  const { parameters } = parts;
  const [username, password] = [parameters.get("sentinelUsername"), parameters.get("sentinelPassword")];
  return {
    sentinels,
    name: decodePart(name, tell),
    ...login(parts),
    ...database(db, tell),
    ...addressFamily(parts, tell),
    ...(username === undefined ? {} : { sentinelUsername: username }),
    ...(password === undefined ? {} : { sentinelPassword: password }),
    // The Sentinels say where the master is, so its name is not known here.
    ...(isTls ? { tls: {}, enableTLSForSentinelMode: true } : {}),
    ...(sentinelsSpeakTls(parts, isTls, tell) ? { sentinelTLS: tlsFor(sentinels) } : {}),
  };
}

function readCluster(parts: UrlParts, isTls: boolean, tell: Tell): ClusterAddress {
  if (parts.hosts.length === 0) tell("the URL has no host");
  if (!/^0*$/.test(parts.path)) tell("a Cluster has only database 0, so its URL has no path");
  return {
    seeds: parts.hosts.map(({ host, port }) => ({ host, port: port ?? 6379 })),
    // One setting for all nodes, each of which has another name.
    perNode: { ...login(parts), ...addressFamily(parts, tell), ...(isTls ? { tls: {} } : {}) },
  };
}

function login({ username, password }: UrlParts): RedisOptions {
  return { ...(username === undefined ? {} : { username }), ...(password === undefined ? {} : { password }) };
}

/** The server name that TLS sends, where all hosts have one. An IP address has none. */
function tlsFor(hosts: readonly { readonly host: string }[]): { servername?: string } {
  const [name, ...others] = [...new Set(hosts.map(({ host }) => host))];
  return name === undefined || others.length > 0 || isIP(name) !== 0 ? {} : { servername: name };
}

function sentinelsSpeakTls({ parameters }: UrlParts, isTls: boolean, tell: Tell): boolean {
  const value = parameters.get("sentinelTls") ?? String(isTls);
  if (value !== "true" && value !== "false") tell("the parameter sentinelTls must be true or false");
  return value === "true";
}

function database(path: string, tell: Tell): RedisOptions {
  if (path === "") return {};
  if (!/^\d{1,9}$/.test(path)) {
    const hint = path.includes("@") ? '; in a password, write "/" as %2F' : "";
    tell(`the path of the URL must be a database number${hint}`);
  }
  return { db: Number(path) };
}

// Some hosting providers use URLs with `?family=0` (IPv4 and IPv6), an option of ioredis.
function addressFamily({ parameters }: UrlParts, tell: Tell): RedisOptions {
  const family = parameters.get("family");
  if (family === undefined) return {};
  if (!["0", "4", "6"].includes(family)) tell("the parameter family must be 0, 4 or 6");
  return { family: Number(family) };
}

// The names are not quoted: after a bare "?" in a password, they are the rest of it.
function refuseParameters({ parameters }: UrlParts, known: readonly string[], tell: Tell): void {
  if ([...parameters.keys()].every((name) => known.includes(name))) return;
  const allowed = known.length === 0 ? "none is allowed" : `allowed: ${known.join(", ")}`;
  tell(
    `the URL has an unknown parameter (${allowed}); pass ioredis options as an object instead, and write "?" in a password as %3F`,
  );
}
