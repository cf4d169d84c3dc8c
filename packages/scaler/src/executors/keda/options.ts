import { ConfigError } from "@redis-batch/core";
import { OptionsReader } from "@redis-batch/core/internal/options";
import type { Executor } from "../../executor.ts";

/** How the server proves itself; PEM. */
export interface KedaTls {
  readonly cert: string | Buffer;
  readonly key: string | Buffer;
  /** The authority of those who may ask. Given, whoever has no certificate of it is refused. */
  readonly clientCa?: string | Buffer | undefined;
}

export interface KedaScalerOptions {
  /** 0 to 65,535; 0 takes any free one. */
  readonly port: number;
  /** The address to listen on. Default `127.0.0.1`: only this machine can ask. `0.0.0.0` or `::` lets everybody in. */
  readonly host?: string | undefined;
  /** Default: none, in the clear. What is answered are numbers of consumers; see to it that only KEDA can reach it. */
  readonly tls?: KedaTls | undefined;
  /**
   * For how long a decision is answered when no other follows, in milliseconds, 1,000 to 3,600,000. Default 60,000. Later
   * KEDA is told that nothing is known, and does as its `fallback` says: with none, it leaves everything as it is.
   */
  readonly staleAfterMs?: number | undefined;
}

/** The values of options that are not given. */
export const KEDA_DEFAULTS = { host: "127.0.0.1", staleAfterMs: 60_000 } as const;

const KNOWN = ["port", "host", "tls", "staleAfterMs"] as const satisfies readonly (keyof KedaScalerOptions)[];

export interface KedaPolicy {
  readonly port: number;
  readonly host: string;
  readonly tls: { readonly cert: Buffer; readonly key: Buffer; readonly clientCa: Buffer | null } | null;
  readonly staleAfterMs: number;
}

/** @throws {ConfigError} naming every problem */
export function resolveKedaOptions(options: KedaScalerOptions): KedaPolicy {
  const reader = new OptionsReader("startKedaScaler", options, KNOWN);
  if (!reader.has("port")) reader.problem("port is missing");
  const { tls } = options;
  if (
    tls !== undefined &&
    !(isPem(tls?.cert) && isPem(tls.key) && (tls.clientCa === undefined || isPem(tls.clientCa)))
  ) {
    reader.problem("tls must have cert and key, and may have clientCa, each a PEM text or a Buffer of one");
  }
  const port = reader.integer("port", { default: 0, min: 0, max: 65_535 });
  const host = reader.text("host", KEDA_DEFAULTS.host);
  const staleAfterMs = reader.integer("staleAfterMs", {
    default: KEDA_DEFAULTS.staleAfterMs,
    min: 1_000,
    max: 3_600_000,
  });
  const policy = reader.finish({ port, host, staleAfterMs });
  if (tls === undefined) return { ...policy, tls: null };
  const { cert, key, clientCa } = tls;
  const ca = clientCa === undefined ? null : Buffer.from(clientCa);
  return { ...policy, tls: { cert: Buffer.from(cert), key: Buffer.from(key), clientCa: ca } };
}

const isPem = (value: unknown): boolean => (typeof value === "string" || Buffer.isBuffer(value)) && value.length > 0;

export interface KedaExecutorOptions {
  /** The stream's key, as the trigger's metadata names it. */
  readonly stream: string;
  /** The consumer group, as the trigger's metadata names it. */
  readonly group: string;
  /**
   * Who knows how many replicas there are: `kubernetesExecutor(…)`, whose right to `get` is enough here. Without it those
   * count that were ordered, and before the first order those that work.
   */
  readonly workforce?: Pick<Executor, "status"> | undefined;
}

/** @throws {ConfigError} naming every problem */
export function resolveKedaExecutorOptions(options: KedaExecutorOptions): KedaExecutorOptions {
  const reader = new OptionsReader("executor", options, ["stream", "group", "workforce"]);
  const { workforce } = options;
  if (workforce !== undefined && typeof workforce.status !== "function") {
    reader.problem("workforce must have a status, as an executor does");
  }
  const place = { stream: reader.name("stream"), group: reader.name("group") };
  return reader.finish({ ...place, ...(workforce !== undefined && { workforce }) });
}

/** @throws {ConfigError} when there is one already */
export function refuseSecond(isThere: boolean, { stream, group }: KedaExecutorOptions): void {
  if (isThere) throw new ConfigError("executor", [`there is one for the stream "${stream}" and the group "${group}"`]);
}
