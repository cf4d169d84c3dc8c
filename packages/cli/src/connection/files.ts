/** The files of passwords and certificates, which are read again before each connection: they are replaced meanwhile. */
import { readFileSync } from "node:fs";
import { Failure } from "../failure.ts";
import type { Place } from "./place.ts";

/** @throws {Failure} when it cannot be read, or is empty; never quotes it */
export function readPasswordFile(path: string): string {
  const password = readFile(path, "the password file").toString().split(/\r?\n/, 1)[0] ?? "";
  if (password === "") throw new Failure("usage", `the first line of ${path} is empty; it must be the password`);
  return password;
}

/** A certificate or key. */
export function readPem(path: string): Buffer {
  return readFile(path, path);
}

/** The files of certificates and keys as options of `node:tls`. */
export function readTls({ ca, cert, key }: NonNullable<Place["tls"]>): Record<string, Buffer> {
  return {
    ...(ca === undefined ? {} : { ca: readPem(ca) }),
    ...(cert === undefined ? {} : { cert: readPem(cert) }),
    ...(key === undefined ? {} : { key: readPem(key) }),
  };
}

/**
 * Has the packages read the place's files again: they read getters before each connection, those of a Cluster's nodes as
 * well.
 *
 * @param source what `redis` is for them; an object that nobody else holds
 */
export function readFilesAgain<Source>(source: Source, { password, tls }: Place): Source {
  const options = settingsOf(source);
  if (password.kind === "file") define(options, "password", () => readPasswordFile(password.path));
  if (tls === undefined) return source;
  for (const name of ["tls", "sentinelTLS"]) {
    const { [name]: first } = options;
    if (first !== undefined) define(options, name, () => ({ ...(first as object), ...readTls(tls) }));
  }
  return source;
}

/** Those of each connection. */
function settingsOf(source: unknown): Record<string, unknown> {
  const { isCluster, options } = source as {
    readonly isCluster?: boolean;
    readonly options?: { readonly redisOptions: Record<string, unknown> };
  };
  return isCluster === true && options !== undefined ? options.redisOptions : (source as Record<string, unknown>);
}

function define(options: object, name: string, get: () => unknown): void {
  Object.defineProperty(options, name, { get, enumerable: true, configurable: true });
}

function readFile(path: string, what: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new Failure("usage", `${what} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
}
