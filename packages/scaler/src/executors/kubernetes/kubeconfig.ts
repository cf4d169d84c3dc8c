/** Access with a kubeconfig file, as the official client reads it, including login through another program. */
import type { RequestOptions } from "node:https";
import zlib from "node:zlib";
import { ConfigError, ServerStateError } from "@redis-batch/core";
import { messageOf } from "@redis-batch/core/internal/errors";
import type { ClusterAccess, Credentials, TlsOptions } from "./access.ts";

export interface KubeconfigOptions {
  /** The file. Default: what `KUBECONFIG` names, else `~/.kube/config`. */
  readonly file?: string;
  /** The context within it. Default: its current one. */
  readonly context?: string;
}

// The client's default if it finds no file; no API server listens there without TLS any more.
const NOTHING_FOUND = "http://localhost:8080";

type Client = typeof import("@kubernetes/client-node");

/**
 * Access with a kubeconfig. Needs `@kubernetes/client-node`, and Node 22.15 or newer. Its `proxy-url` is not supported.
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
  if (file === undefined && cluster?.server === NOTHING_FOUND) {
    throw new ConfigError("kubeconfig", ["there is no kubeconfig: set KUBECONFIG, or give a file"]);
  }
  if (cluster === null) {
    const known = config.getContexts().map(({ name }) => `"${name}"`);
    const which = context === undefined ? "no current context" : `no usable context "${context}"`;
    throw new ConfigError("kubeconfig", [`${named} has ${which}; it knows ${known.join(", ") || "none"}`]);
  }
  if (!URL.canParse(cluster.server) || new URL(cluster.server).protocol !== "https:") {
    throw new ConfigError("kubeconfig", [`the cluster "${cluster.name}" must have an https:// address`]);
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
      // Runs the file's login program, if there is one, and caches its result as long as it is valid.
      try {
        await config.applyToHTTPSOptions(options);
      } catch (error) {
        throw new ServerStateError(`${named} gives no credentials: ${causeOf(error)}`, { state: "Credentials" });
      }
      return credentialsOf(options);
    },
  };
}

/** The client's TLS settings, without its agent, which keeps connections. */
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
  // One of its dependencies needs this version; without it, loading ends the process, even if the error is caught.
  if (typeof zlib.createZstdDecompress !== "function") {
    const advice =
      "@kubernetes/client-node needs Node 22.15 or newer; in a pod use inCluster(), which does not need it";
    throw new ConfigError("kubeconfig", [`this is Node ${process.versions.node}, and ${advice}`]);
  }
  try {
    return await import("@kubernetes/client-node");
  } catch (error) {
    // ERR_MODULE_NOT_FOUND, or MODULE_NOT_FOUND with require(): in CommonJS, in Jest, in a bundle.
    const isMissing = String(Reflect.get(Object(error) as object, "code")).endsWith("MODULE_NOT_FOUND");
    const advice = isMissing ? "is needed to read one: npm install @kubernetes/client-node" : "does not load";
    throw new ConfigError("kubeconfig", [`@kubernetes/client-node ${advice} (${causeOf(error)})`]);
  }
}

// With require(), more lines list the requiring modules.
const causeOf = (error: unknown): string => messageOf(error).replace(/\nRequire stack:.*/s, "");
