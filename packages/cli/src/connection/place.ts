/** Selects the server from options, environment and configuration. */
import type { COMMON_OPTIONS, GlobalOptions } from "../command-line/global-options.ts";
import type { OptionValues } from "../command-line/spec.ts";
import { Failure } from "../failure.ts";
import type { SavedContext } from "./contexts.ts";

/** Where the password comes from; never the command line. */
export type PasswordSource =
  | { readonly kind: "none" }
  | { readonly kind: "text"; readonly password: string }
  | { readonly kind: "env"; readonly name: string }
  | { readonly kind: "file"; readonly path: string }
  | { readonly kind: "ask" };

export interface Place {
  /** Where the address came from, for error messages. */
  readonly from: string;
  readonly url: string;
  readonly user: string | undefined;
  readonly password: PasswordSource;
  readonly sentinels: readonly { readonly host: string; readonly port: number }[];
  readonly sentinelName: string;
  readonly isCluster: boolean;
  readonly tls:
    | { readonly ca?: string | undefined; readonly cert?: string | undefined; readonly key?: string | undefined }
    | undefined;
}

type Env = Readonly<Record<string, string | undefined>>;
type ConnectionOptions = Omit<GlobalOptions, keyof OptionValues<typeof COMMON_OPTIONS> | "connect-timeout">;

const DEFAULT_URL = "redis://localhost:6379";

/**
 * Selects the server: command line before context before environment, each as a whole, because a user from one and a
 * server from another would be a surprise. Only a password may be added from the environment.
 *
 * @throws {Failure} when options contradict each other, or contain a password
 */
export function decidePlace(options: ConnectionOptions, env: Env, context: SavedContext | undefined): Place {
  refusePassword(options.url);
  if (options.url !== undefined && options.sentinel !== undefined) {
    throw new Failure("usage", "--url and --sentinel exclude each other", "the Sentinels know the server's address");
  }
  const isGiven = options.url !== undefined || options.sentinel !== undefined;
  const saved = isGiven ? undefined : context;
  const envUrl = emptyToUndefined(env["REDIS_URL"]);
  const url = options.url ?? saved?.url ?? (isGiven || saved !== undefined ? undefined : envUrl) ?? DEFAULT_URL;
  const sentinel = options.sentinel ?? saved?.sentinel;
  const [ca, cert, key] = [
    options["tls-ca"] ?? saved?.tlsCa,
    options["tls-cert"] ?? saved?.tlsCert,
    options["tls-key"] ?? saved?.tlsKey,
  ];
  if ((cert === undefined) !== (key === undefined)) {
    throw new Failure(
      "usage",
      "a client certificate needs its private key, and the other way round",
      "give --tls-cert and --tls-key",
    );
  }
  return {
    from: isGiven
      ? "the command line"
      : saved !== undefined
        ? `the context "${saved.name}"`
        : envUrl !== undefined
          ? "REDIS_URL"
          : "the default",
    url,
    user: options.user ?? saved?.user ?? emptyToUndefined(env["REDIS_USERNAME"]),
    password: decidePassword(options, env, saved),
    sentinels: sentinel === undefined ? [] : parseAddresses(sentinel),
    sentinelName: options["sentinel-name"] ?? saved?.sentinelName ?? "mymaster",
    isCluster: options.cluster || saved?.cluster === true,
    tls: ca === undefined && cert === undefined ? undefined : { ca, cert, key },
  };
}

/** The whole place as one URL, without user, password and files: what the options say beside a URL is part of it. */
export function urlOf({ url, sentinels, sentinelName, isCluster, tls }: Place): string {
  const place =
    sentinels.length > 0
      ? `redis+sentinel://${sentinels.map(hostAndPort).join(",")}/${encodeURIComponent(sentinelName)}`
      : isCluster
        ? url.replace(/^(rediss?):/i, "$1+cluster:")
        : url;
  return tls === undefined ? place : place.replace(/^redis(?=[:+])/i, "rediss");
}

const hostAndPort = ({ host, port }: Place["sentinels"][number]): string =>
  `${host.includes(":") ? `[${host}]` : host}:${port}`;

/** The URL with asterisks for each password. Of several hosts, too, which `URL` cannot read. */
export function withoutPassword(url: string): string {
  return url
    .replace(/^([^/?#]*:\/\/[^/?#:@]*:)[^/?#]+(?=@)/, "$1***")
    .replaceAll(/([?&]sentinelPassword=)[^&#]+/gi, "$1***");
}

/** @throws {Failure} when the URL contains a password, which every user of the machine could read in the process list */
function refusePassword(url: string | undefined): void {
  if (url === undefined || withoutPassword(url) === url) return;
  throw new Failure(
    "usage",
    "the URL contains a password, which every user of this machine can see in the process list",
    "remove it from the URL and use REDIS_PASSWORD, --password-file or --ask-password (for Sentinels REDIS_SENTINEL_PASSWORD); or put the whole URL into REDIS_URL",
  );
}

/** Reads `host:port,host:port`. */
export function parseAddresses(text: string): { readonly host: string; readonly port: number }[] {
  return text.split(",").map((part) => {
    const [, bracketed, plain, port] = /^(?:\[([^\]\s]+)\]|([^:[\]\s]+))(?::(\d+))?$/.exec(part.trim()) ?? [];
    const host = bracketed ?? plain;
    if (host === undefined || Number(port ?? 0) > 65_535) {
      throw new Failure("usage", `"${part}" is not an address`, "write Sentinels as host:port,host:port");
    }
    return { host, port: Number(port ?? 26_379) };
  });
}

function decidePassword(options: ConnectionOptions, env: Env, saved: SavedContext | undefined): PasswordSource {
  const file = options["password-file"];
  if (file !== undefined && options["ask-password"]) {
    throw new Failure("usage", "--password-file and --ask-password exclude each other");
  }
  if (file !== undefined) return { kind: "file", path: file };
  if (options["ask-password"]) return { kind: "ask" };
  if (saved?.passwordFile !== undefined) return { kind: "file", path: saved.passwordFile };
  if (saved?.passwordEnv !== undefined) return { kind: "env", name: saved.passwordEnv };
  if (saved?.askPassword === true) return { kind: "ask" };
  const password = emptyToUndefined(env["REDIS_PASSWORD"]) ?? emptyToUndefined(env["REDISCLI_AUTH"]);
  return password === undefined ? { kind: "none" } : { kind: "text", password };
}

const emptyToUndefined = (text: string | undefined): string | undefined => (text === "" ? undefined : text);
