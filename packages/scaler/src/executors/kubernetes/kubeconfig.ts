/** Access by a kubeconfig file, as the official client reads it: also one that logs in by running another program. */
import type { RequestOptions } from "node:https";
import { ConfigError, ServerStateError } from "@redis-batch/core/internal";
import type { ClusterAccess, Credentials, TlsOptions } from "./access.ts";

export interface KubeconfigOptions {
  /** The file. Default: what `KUBECONFIG` names, else `~/.kube/config`. */
  readonly file?: string;
  /** The context within it. Default: its current one. */
  readonly context?: string;
}

type Client = typeof import("@kubernetes/client-node");

/**
 * The access a kubeconfig describes. Needs `@kubernetes/client-node`, and Node 22 or newer, which that client is made
 * for. Its `proxy-url` is not supported.
 *
 * @throws {ConfigError} when the client is not installed or does not load, or the file cannot be used
 */
export async function kubeconfig({ file, context }: KubeconfigOptions = {}): Promise<ClusterAccess> {
  const { KubeConfig } = await loadClient();
  const config = new KubeConfig();
  const named = file ?? "the default kubeconfig";
  try {
    if (file === undefined) config.loadFromDefault();
    else config.loadFromFile(file);
  } catch (error) {
    throw new ConfigError("kubeconfig", [`${named} cannot be read: ${causeOf(error)}`]);
  }
  if (context !== undefined) config.setCurrentContext(context);
  const cluster = config.getCurrentCluster();
  if (cluster === null) {
    const known = config.getContexts().map(({ name }) => `"${name}"`);
    const which = context === undefined ? "no current context" : `no usable context "${context}"`;
    throw new ConfigError("kubeconfig", [`${named} has ${which}; it knows ${known.join(", ") || "none"}`]);
  }
  if (!URL.canParse(cluster.server) || new URL(cluster.server).protocol !== "https:") {
    throw new ConfigError("kubeconfig", [`the cluster "${cluster.name}" must be reached by https://`]);
  }
  if (cluster.proxyUrl !== undefined) {
    throw new ConfigError("kubeconfig", [
      `the cluster "${cluster.name}" is behind a proxy-url, which is not supported`,
    ]);
  }
  const { namespace } = config.getContextObject(config.getCurrentContext()) ?? {};
  return {
    server: new URL(cluster.server),
    namespace: async () => namespace ?? "default",
    async credentials() {
      const options: RequestOptions = {};
      // Runs what the file names to log in, where it does, and keeps what that said for as long as it is valid.
      try {
        await config.applyToHTTPSOptions(options);
      } catch (error) {
        throw new ServerStateError(`${named} gives no credentials: ${causeOf(error)}`, { state: "Credentials" });
      }
      return credentialsOf(options);
    },
  };
}

/** What the client made of it; its agent, which keeps connections, is left aside. */
function credentialsOf({ headers, auth, ...options }: RequestOptions): Credentials {
  const texts = Object.entries(headers ?? {}).map(([name, value]) => [name.toLowerCase(), String(value)] as const);
  const { authorization, ...others } = Object.fromEntries(texts);
  const basic = auth == null ? undefined : `Basic ${Buffer.from(auth).toString("base64")}`;
  const sent = authorization ?? basic;
  const { ca, cert, key, passphrase, servername, rejectUnauthorized } = options;
  const given = { ca, cert, key, passphrase, servername, rejectUnauthorized };
  return {
    ...(sent !== undefined && { authorization: sent }),
    headers: others,
    tls: Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as TlsOptions,
  };
}

async function loadClient(): Promise<Client> {
  try {
    return await import("@kubernetes/client-node");
  } catch (error) {
    throw new ConfigError("kubeconfig", [whyNotLoaded(error)]);
  }
}

/** The client's own complaint does not say what to do. */
function whyNotLoaded(error: unknown): string {
  if (error instanceof Error && "code" in error && error.code === "ERR_MODULE_NOT_FOUND") {
    return "a kubeconfig is read by @kubernetes/client-node: npm install @kubernetes/client-node";
  }
  const major = Number(process.versions.node.split(".")[0]);
  const advice =
    major < 22 ? "it needs Node 22 or newer; in a pod use inCluster(), which does not need it" : "see its cause";
  return `@kubernetes/client-node does not load on Node ${process.versions.node}: ${advice} (${causeOf(error)})`;
}

const causeOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
