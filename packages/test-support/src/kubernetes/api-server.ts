/** A Kubernetes API server for scaling: with real HTTPS, tokens, roles, versions, and refusals. */
import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { testCertificates } from "../servers/certificates.ts";

export interface Workload {
  replicas: number;
  resourceVersion: number;
}

export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly token: string | undefined;
  readonly body: unknown;
}

export interface KubeconfigOptions {
  readonly namespace?: string;
  readonly cluster?: Readonly<Record<string, unknown>>;
}

/** Answers instead of the server; if it returns `false`, the server answers. */
type Intervention = (request: IncomingMessage, response: ServerResponse) => boolean;

export class ApiServer implements AsyncDisposable {
  /** By path, without `/scale`. */
  readonly workloads = new Map<string, Workload>();
  readonly tokens = new Set<string>();
  readonly forbidden = new Set<string>();
  readonly asked: Asked[] = [];
  /** The next ones are used in turn, the last one forever. */
  readonly interventions: Intervention[] = [];
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
    server.on("request", (request: IncomingMessage, response: ServerResponse) => {
      // One that breaks off is not answered.
      this.#answer(request, response).catch(() => response.destroy());
    });
  }

  static async start(): Promise<ApiServer> {
    const { cert, key } = testCertificates();
    const server = createServer({ cert, key });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return new ApiServer(server);
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /**
   * A kubeconfig of this server and one user. Its current context `there` has a namespace, `elsewhere` has none.
   *
   * @param cluster what the entry of the cluster has beside or instead of address and authority
   */
  kubeconfig(user: unknown, { namespace = "shop", cluster = {} }: KubeconfigOptions = {}): string {
    const authority = { "certificate-authority-data": testCertificates().ca.toString("base64") };
    // JSON is YAML, too.
    return JSON.stringify({
      ...{ apiVersion: "v1", kind: "Config", "current-context": "there" },
      clusters: [{ name: "test", cluster: { server: `https://127.0.0.1:${this.port}`, ...authority, ...cluster } }],
      users: [{ name: "person", user }],
      contexts: [
        { name: "there", context: { cluster: "test", user: "person", namespace } },
        { name: "elsewhere", context: { cluster: "test", user: "person" } },
      ],
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, "close");
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = "", url: path = "" } = request;
    const token = /^Bearer (.+)$/.exec(request.headers.authorization ?? "")?.[1];
    const body = await text(request);
    this.asked.push({ method, path, token, body: body === "" ? null : JSON.parse(body) });
    if (this.interventions.shift()?.(request, response)) return;
    if (token === undefined || !this.tokens.has(token)) return refuse(response, 401, "Unauthorized", "Unauthorized");
    const [, workloadPath = "", subresource] = /^(.*?)(?:\/(scale))?$/.exec(path) ?? [];
    const name = workloadPath.split("/").at(-1);
    if (this.forbidden.has(method)) {
      const verb = method.toLowerCase();
      const message = `deployments.apps "${name}" is forbidden: User "system:serviceaccount:shop:scaler" cannot ${verb} resource "deployments/scale" in API group "apps" in the namespace "shop"`;
      return refuse(response, 403, "Forbidden", message);
    }
    const workload = this.workloads.get(workloadPath);
    if (workload === undefined || subresource === undefined) {
      return refuse(response, 404, "NotFound", `deployments.apps "${name}" not found`);
    }
    if (method === "PATCH") {
      if (request.headers["content-type"] !== "application/merge-patch+json") {
        return refuse(response, 415, "UnsupportedMediaType", "the body of the request was in an unknown format");
      }
      const { metadata, spec } = JSON.parse(body) as {
        metadata: { resourceVersion: string };
        spec: { replicas: number };
      };
      if (metadata.resourceVersion !== String(workload.resourceVersion)) {
        const message = `Operation cannot be fulfilled on deployments.apps "${name}": the object has been modified; please apply your changes to the latest version and try again`;
        return refuse(response, 409, "Conflict", message);
      }
      workload.replicas = spec.replicas;
      workload.resourceVersion++;
    }
    const { replicas, resourceVersion } = workload;
    reply(response, 200, {
      kind: "Scale",
      apiVersion: "autoscaling/v1",
      metadata: { name, namespace: "shop", resourceVersion: String(resourceVersion) },
      // Like the real one: zero values are left out.
      spec: replicas === 0 ? {} : { replicas },
      status: { replicas, selector: "app=worker" },
    });
  }
}

function reply(response: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}): void {
  response.writeHead(status, { "content-type": "application/json", ...headers }).end(JSON.stringify(body));
}

/** A refusal, worded like the real server's. */
export function refuse(
  response: ServerResponse,
  code: number,
  reason: string,
  message: string,
  headers: Record<string, string> = {},
): void {
  const status = { kind: "Status", apiVersion: "v1", metadata: {}, status: "Failure", message, reason, code };
  reply(response, code, status, headers);
}
