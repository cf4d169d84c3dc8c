import { ConfigError, parseName } from "@redis-batch/consumer";

/** The worker's settings, complete and checked. */
export interface Config {
  readonly redisUrl: string;
  /** Read before each connection: the password may be replaced while the worker runs. */
  readonly redisPasswordFile: string | undefined;
  readonly streams: readonly string[];
  /** How many partitions the stream has, which the workers share; `undefined`: none. */
  readonly partitions: number | undefined;
  readonly group: string;
  /** The field of which messages with the same text are processed in order; `undefined`: no order. */
  readonly orderBy: string | undefined;
  /** Where that order holds; `undefined`: in the whole group. */
  readonly orderScope: "group" | "consumer" | undefined;
  readonly batchSize: number;
  readonly maxWaitMs: number;
  readonly leaseMs: number;
  readonly recoverEveryMs: number;
  /** How long a failed batch waits for its next attempt: at first, and at most. */
  readonly retry: { readonly baseMs: number; readonly capMs: number };
  readonly database: DatabaseConfig;
  readonly probes: { readonly host: string; readonly port: number };
}

export type DatabaseConfig =
  | { readonly kind: "sqlite"; readonly path: string }
  | { readonly kind: "postgres"; readonly url: string };

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Reads the settings from environment variables; an empty one counts as not set. The README lists them.
 *
 * @throws {ConfigError} naming every wrong variable, and never quoting a URL, which may contain a password
 */
export function readConfig(env: Environment): Config {
  const problems: string[] = [];

  const text = (name: string, fallback: string): string => env[name] || fallback;
  const integer = (name: string, fallback: number, min: number, max: number): number => {
    const value = env[name] || String(fallback);
    const number = /^\d+$/.test(value) ? Number(value) : Number.NaN;
    if (number >= min && number <= max) return number;
    problems.push(`${name} must be a whole number from ${min} to ${max}, got ${JSON.stringify(value)}`);
    return fallback;
  };

  const retryBaseMs = integer("RETRY_BASE_MS", 1_000, 1, 3_600_000);
  const config: Config = {
    redisUrl: text("REDIS_URL", "redis://127.0.0.1:6379"),
    redisPasswordFile: env["REDIS_PASSWORD_FILE"] || undefined,
    streams: parseStreams(text("STREAM", "commits"), problems),
    partitions: env["PARTITIONS"] ? integer("PARTITIONS", 1, 1, 256) : undefined,
    group: text("GROUP", "example-worker"),
    orderBy: env["ORDER_BY"] || undefined,
    orderScope: parseOrderScope(env, problems),
    batchSize: integer("BATCH_SIZE", 100, 1, 10_000),
    maxWaitMs: integer("MAX_WAIT_MS", 5_000, 0, 3_600_000),
    leaseMs: integer("LEASE_MS", 60_000, 500, 3_600_000),
    recoverEveryMs: integer("RECOVER_EVERY_MS", 15_000, 100, 3_600_000),
    retry: {
      baseMs: retryBaseMs,
      capMs: integer("RETRY_CAP_MS", Math.max(300_000, retryBaseMs), retryBaseMs, 86_400_000),
    },
    database: parseDatabaseUrl(text("DATABASE_URL", "sqlite:commits.db"), problems),
    probes: { host: text("PROBE_HOST", "127.0.0.1"), port: integer("PROBE_PORT", 8080, 0, 65_535) },
  };
  if (config.partitions !== undefined && config.streams.length > 1) problems.push("PARTITIONS are those of one STREAM");
  // The consumer reads the rest of it.
  if (!/^(?:unix|rediss?(?:\+sentinel|\+cluster)?):\/\//i.test(config.redisUrl)) {
    problems.push(
      'REDIS_URL must look like "redis://user:password@host:6379/0", "unix:///path", ' +
        '"redis+sentinel://host1,host2/mymaster" or "redis+cluster://host1,host2" ("rediss…" for TLS)',
    );
  }
  if (problems.length > 0) throw new ConfigError("the environment", problems);
  return config;
}

/** The names between the commas; a comma of a name is written as `\x2c`, as on the command line. */
function parseStreams(list: string, problems: string[]): readonly string[] {
  const streams = list.split(",").map((name) => parseName(name.trim()));
  if (streams.includes("")) problems.push("STREAM must have a name on both sides of each comma");
  else if (new Set(streams).size < streams.length) problems.push("STREAM must have each name once");
  return streams;
}

function parseOrderScope(env: Environment, problems: string[]): Config["orderScope"] {
  const scope = env["ORDER_SCOPE"] || undefined;
  if (scope !== undefined && !env["ORDER_BY"]) problems.push("ORDER_SCOPE is of no use without ORDER_BY");
  if (scope === undefined || scope === "group" || scope === "consumer") return scope;
  problems.push(`ORDER_SCOPE must be group or consumer, got ${JSON.stringify(scope)}`);
  return undefined;
}

function parseDatabaseUrl(url: string, problems: string[]): DatabaseConfig {
  if (hasProtocol(url, ["postgres:", "postgresql:"])) return { kind: "postgres", url };
  const path = /^sqlite:(.+)$/.exec(url)?.[1] ?? "";
  // A database in memory would be lost with the process, after the acknowledgement; SQLite's own URLs can mean that, too.
  if (path === "" || path === ":memory:" || path.startsWith("file:")) {
    problems.push('DATABASE_URL must look like "sqlite:path/to/file.db" or "postgres://user:password@host:5432/name"');
  }
  return { kind: "sqlite", path };
}

function hasProtocol(url: string, protocols: readonly string[]): boolean {
  return URL.canParse(url) && protocols.includes(new URL(url).protocol);
}
