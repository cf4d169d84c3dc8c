/** Access to a cluster's API server: its address, its certificates, and our credentials. */
import { readFile } from "node:fs/promises";
import { isIPv6 } from "node:net";
import { join } from "node:path";
import { ConfigError } from "@redis-batch/core";
import { isError } from "@redis-batch/core/internal/errors";

/** The current credentials for one request: tokens and certificates are replaced while a process runs. */
export interface Credentials {
  /** The `Authorization` header; absent with a client certificate. */
  readonly authorization?: string;
  /** More headers, such as impersonation. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Options of `node:https`: `ca`, `cert`, `key`, `servername` … */
  readonly tls: TlsOptions;
}

export interface TlsOptions {
  readonly ca?: string | Buffer;
  readonly cert?: string | Buffer;
  readonly key?: string | Buffer;
  readonly passphrase?: string;
  readonly servername?: string;
  readonly rejectUnauthorized?: boolean;
}

export interface ClusterAccess {
  /** The API server's address, `https://…`. */
  readonly server: URL;
  /** The default namespace. Only called if none is given. */
  namespace(): Promise<string>;
  /** Called before each request. */
  credentials(): Promise<Credentials>;
}

export interface InClusterOptions {
  /** The folder of the service account. Default `/var/run/secrets/kubernetes.io/serviceaccount`. */
  readonly folder?: string;
  /** Environment variables with the API server's address. Default: this process's environment. */
  readonly env?: Readonly<Record<string, string | undefined>>;
}

const SERVICE_ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount";

/**
 * Access with a pod's service account. The token is read again for each request, because Kubernetes replaces it long
 * before it expires.
 *
 * @throws {ConfigError} outside a cluster
 */
export function inCluster({ folder = SERVICE_ACCOUNT, env = process.env }: InClusterOptions = {}): ClusterAccess {
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port } = env;
  if (!host || !port) {
    throw new ConfigError("Kubernetes", [
      "KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not set, so this is not a pod: use kubeconfig() outside a cluster",
    ]);
  }
  const read = async (file: string): Promise<string> => {
    try {
      return (await readFile(join(folder, file), "utf8")).trim();
    } catch (error) {
      throw new ConfigError("Kubernetes", [
        `the service account's ${file} cannot be read (${codeOf(error)}): the pod needs automountServiceAccountToken: true`,
      ]);
    }
  };
  return {
    server: new URL(`https://${isIPv6(host) ? `[${host}]` : host}:${port}`),
    namespace: () => read("namespace"),
    async credentials() {
      const [token, ca] = await Promise.all([read("token"), read("ca.crt")]);
      return { authorization: `Bearer ${token}`, tls: { ca } };
    },
  };
}

function codeOf(error: unknown): string {
  return isError(error) && "code" in error ? String(error.code) : "unknown error";
}
