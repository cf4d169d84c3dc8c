/** Certificates a connection trusts and, with mutual TLS, shows. */
export interface TlsMaterial {
  readonly ca: Buffer;
  readonly cert?: Buffer;
  readonly key?: Buffer;
}

/** Where a server is reached, and as whom. */
export interface ServerAddress {
  readonly host: string;
  readonly port: number;
  /** A unix socket; it goes before host and port. */
  readonly path?: string;
  readonly username?: string;
  readonly password?: string;
  readonly db?: number;
  readonly tls?: TlsMaterial;
}

/** Options that ioredis (5 and 6) takes as they are. */
export type ConnectionOptions = Partial<ServerAddress>;

export function connectionOptions(address: ServerAddress): ConnectionOptions {
  const { host, port, path, ...rest } = address;
  return path === undefined ? { host, port, ...rest } : { path, ...rest };
}

/** The address as one line; certificates have no place in it, so TLS needs {@link connectionOptions}. */
export function addressUrl(address: ServerAddress): string {
  const { username, password, host, port, path, db, tls } = address;
  const login = password === undefined ? "" : `${encodeURIComponent(username ?? "")}:${encodeURIComponent(password)}@`;
  if (path !== undefined) return `redis+unix://${login}${path}${db ? `?db=${db}` : ""}`;
  return `${tls ? "rediss" : "redis"}://${login}${host}:${port}${db ? `/${db}` : ""}`;
}

/**
 * Reads a `redis://` address with optional user, password and database.
 *
 * @throws {Error} when it is not one; TLS is left out because its certificates cannot be said in a URL.
 */
export function parseAddress(text: string): ServerAddress {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol !== "redis:" || url.hostname === "") {
    throw new Error("a test server's address looks like redis://user:password@host:port/db");
  }
  const db = Number(url.pathname.slice(1));
  if (!Number.isInteger(db)) throw new Error(`the database in a test server's address is a number, not ${db}`);
  return {
    host: url.hostname.replace(/^\[|\]$/g, ""),
    port: url.port === "" ? 6379 : Number(url.port),
    ...(url.username === "" ? {} : { username: decodeURIComponent(url.username) }),
    ...(url.password === "" ? {} : { password: decodeURIComponent(url.password) }),
    ...(db === 0 ? {} : { db }),
  };
}
