import type { RedisOptions } from "ioredis";
import { ConfigError } from "../errors.ts";

/**
 * Reads `redis://[[user]:password@]host[:port][/db]`, `rediss://…` for TLS, or `unix:///path/to/socket`. Read here and
 * not by ioredis, which would take any query parameter as one of its options and so let a URL switch guarantees off.
 *
 * @throws {ConfigError} that never quotes the URL, because it may hold a password
 */
export function parseRedisUrl(url: string): RedisOptions {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed?.protocol === "unix:" && parsed.pathname !== "" && parsed.host === "") {
    return { path: decodeURIComponent(parsed.pathname), ...credentials(parsed) };
  }
  if (parsed === undefined || !["redis:", "rediss:"].includes(parsed.protocol) || parsed.hostname === "") {
    throw new ConfigError("redis", [
      'the URL must look like "redis://user:password@host:6379/0", "rediss://…" for TLS, or "unix:///path/to/socket"',
    ]);
  }
  return {
    host: parsed.hostname.replace(/^\[(.*)\]$/, "$1"),
    port: parsed.port === "" ? 6379 : Number(parsed.port),
    ...credentials(parsed),
    ...database(parsed.pathname),
    ...addressFamily(parsed.searchParams),
    ...(parsed.protocol === "rediss:" ? { tls: { servername: parsed.hostname } } : {}),
  };
}

function credentials(url: URL): RedisOptions {
  return {
    ...(url.username === "" ? {} : { username: decodeURIComponent(url.username) }),
    ...(url.password === "" ? {} : { password: decodeURIComponent(url.password) }),
  };
}

function database(pathname: string): RedisOptions {
  if (pathname === "" || pathname === "/") return {};
  if (!/^\/\d+$/.test(pathname)) {
    throw new ConfigError("redis", ["the URL's path must be the number of a database, as in redis://host:6379/0"]);
  }
  return { db: Number(pathname.slice(1)) };
}

// Some hosting providers hand out URLs with `?family=0` (IPv4 and IPv6), as ioredis asks for.
function addressFamily(parameters: URLSearchParams): RedisOptions {
  const unknown = [...parameters.keys()].filter((name) => name !== "family");
  if (unknown.length > 0) {
    throw new ConfigError("redis", [
      `the URL has the unknown parameter ${JSON.stringify(unknown[0])}; pass ioredis options as an object instead`,
    ]);
  }
  const family = parameters.get("family");
  if (family === null) return {};
  if (family !== "0" && family !== "4" && family !== "6") {
    throw new ConfigError("redis", ["the URL's family must be 0, 4 or 6"]);
  }
  return { family: Number(family) };
}
