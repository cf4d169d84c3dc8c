import { isIP } from "node:net";
import type { RedisOptions } from "ioredis";
import { ConfigError } from "../errors/errors.ts";

/**
 * Reads `redis://[[user]:password@]host[:port][/db]`, `rediss://…` for TLS, or `unix:///path/to/socket`. Not read by
 * ioredis, which would take any query parameter as an option, so that a URL could switch off guarantees.
 *
 * @throws {ConfigError} that never quotes the URL, because it may contain a password
 */
export function parseRedisUrl(url: string): RedisOptions {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed !== undefined && parsed.hash !== "") {
    throw new ConfigError("redis", ['the URL must not have a "#"; in a password, write it as %23']);
  }
  if (parsed?.protocol === "unix:" && parsed.pathname !== "" && parsed.host === "") {
    refuseParameters(parsed.searchParams, []);
    return { path: decode(parsed.pathname) };
  }
  if (parsed === undefined || !["redis:", "rediss:"].includes(parsed.protocol) || parsed.hostname === "") {
    throw new ConfigError("redis", [
      'the URL must look like "redis://user:password@host:6379/0", "rediss://…" for TLS, or "unix:///path/to/socket"',
    ]);
  }
  const host = parsed.hostname.replace(/^\[(.*)\]$/, "$1");
  return {
    host,
    port: parsed.port === "" ? 6379 : Number(parsed.port),
    ...credentials(parsed),
    ...database(parsed.pathname),
    ...addressFamily(parsed.searchParams),
    // TLS has no server name for an IP address.
    ...(parsed.protocol === "rediss:" ? { tls: isIP(host) === 0 ? { servername: host } : {} } : {}),
  };
}

function credentials(url: URL): RedisOptions {
  return {
    ...(url.username === "" ? {} : { username: decode(url.username) }),
    ...(url.password === "" ? {} : { password: decode(url.password) }),
  };
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    // The original error is dropped: the part may be the password.
    throw new ConfigError("redis", ["the URL has a percent sign that is not an escape; write it as %25"]);
  }
}

function database(pathname: string): RedisOptions {
  if (pathname === "" || pathname === "/") return {};
  if (!/^\/\d+$/.test(pathname)) {
    throw new ConfigError("redis", ["the path of the URL must be a database number, as in redis://host:6379/0"]);
  }
  return { db: Number(pathname.slice(1)) };
}

// Some hosting providers use URLs with `?family=0` (IPv4 and IPv6), an option of ioredis.
function addressFamily(parameters: URLSearchParams): RedisOptions {
  refuseParameters(parameters, ["family"]);
  const family = parameters.get("family");
  if (family === null) return {};
  if (family !== "0" && family !== "4" && family !== "6") {
    throw new ConfigError("redis", ["the parameter family of the URL must be 0, 4 or 6"]);
  }
  return { family: Number(family) };
}

// The names are not quoted: after a bare "?" in a password, they are the rest of it.
function refuseParameters(parameters: URLSearchParams, known: readonly string[]): void {
  if ([...parameters.keys()].every((name) => known.includes(name))) return;
  throw new ConfigError("redis", [
    'the URL has an unknown parameter; pass ioredis options as an object instead, and write "?" in a password as %3F',
  ]);
}
