import { ConfigError } from "@redis-batch/core";
import {
  type DefaultsOf,
  defaultsOf,
  type OptionsOf,
  OptionsReader,
  type PolicyOf,
} from "@redis-batch/core/internal/options";
import { KEDA_EXECUTOR_SPEC, KEDA_SPEC } from "./spec.ts";

export interface KedaScalerOptions extends OptionsOf<typeof KEDA_SPEC> {}

/** The values of options that are not given. */
export const KEDA_DEFAULTS: DefaultsOf<typeof KEDA_SPEC> = defaultsOf(KEDA_SPEC);

export interface KedaPolicy extends Omit<PolicyOf<typeof KEDA_SPEC>, "tls"> {
  readonly tls: { readonly cert: Buffer; readonly key: Buffer; readonly clientCa: Buffer | null } | null;
}

/** @throws {ConfigError} naming every problem */
export function resolveKedaOptions(options: KedaScalerOptions): KedaPolicy {
  const reader = new OptionsReader("startKedaScaler", options, Object.keys(KEDA_SPEC));
  const { tls, ...given } = reader.read(KEDA_SPEC, {
    tls: (pem) =>
      isPem(pem.cert) && isPem(pem.key) && (pem.clientCa === undefined || isPem(pem.clientCa))
        ? undefined
        : "have cert and key, and may have clientCa, each a PEM text or a Buffer of one",
  });
  const policy = reader.finish(given);
  if (tls === undefined) return { ...policy, tls: null };
  const { cert, key, clientCa } = tls;
  const ca = clientCa === undefined ? null : Buffer.from(clientCa);
  return { ...policy, tls: { cert: Buffer.from(cert), key: Buffer.from(key), clientCa: ca } };
}

const isPem = (value: unknown): boolean => (typeof value === "string" || Buffer.isBuffer(value)) && value.length > 0;

export interface KedaExecutorOptions extends OptionsOf<typeof KEDA_EXECUTOR_SPEC> {}

/** @throws {ConfigError} naming every problem */
export function resolveKedaExecutorOptions(options: KedaExecutorOptions): KedaExecutorOptions {
  const reader = new OptionsReader("executor", options, Object.keys(KEDA_EXECUTOR_SPEC));
  const { workforce, ...place } = reader.read(KEDA_EXECUTOR_SPEC, {
    workforce: ({ status }) => (typeof status === "function" ? undefined : "have a status, as an executor does"),
  });
  return reader.finish({ ...place, ...(workforce !== undefined && { workforce }) });
}

/** @throws {ConfigError} when there is one already */
export function refuseSecond(isThere: boolean, { stream, group }: KedaExecutorOptions): void {
  if (isThere) throw new ConfigError("executor", [`there is one for the stream "${stream}" and the group "${group}"`]);
}
