/** A small HTTP server for metrics collectors, orchestrators and other occasional clients. */
import { createHash, timingSafeEqual } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { type AddressInfo, isIPv6 } from "node:net";
import { systemClock } from "../service/clock.ts";

export interface HttpReply {
  readonly status: number;
  readonly body: string;
  /** In addition to those of every reply. Default content type: plain text. */
  readonly headers?: Readonly<Record<string, string>>;
}

export interface HttpServerOptions {
  readonly host: string;
  /** 0 picks a free one. */
  readonly port: number;
  /** The handler of each path, for GET and HEAD. */
  readonly paths: Readonly<Record<string, (request: IncomingMessage) => Promise<HttpReply>>>;
  /** Called with the error of a failed answer; the client only gets a 500. */
  readonly onError: (error: unknown) => void;
}

export interface HttpServer extends AsyncDisposable {
  readonly port: number;
  /** Its base URL, without a path. */
  readonly url: string;
  /** Stops listening; requests in progress get a second to end. May be called more than once. */
  close(): Promise<void>;
}

const CLOSE_GRACE_MS = 1_000;
// Far more than collectors and probes open; more would be an attempt to use up our file descriptors.
const MAX_CONNECTIONS = 256;
const REQUEST_TIMEOUT_MS = 10_000;

/**
 * Starts a server.
 *
 * @throws when the address is in use, or does not belong to this machine
 */
export async function startHttpServer({ host, port, paths, onError }: HttpServerOptions): Promise<HttpServer> {
  const server = createServer({ requestTimeout: REQUEST_TIMEOUT_MS, headersTimeout: REQUEST_TIMEOUT_MS });
  server.maxConnections = MAX_CONNECTIONS;
  server.on("request", (request, response) => {
    void answer(request, paths, onError).then((reply) => send(response, reply, server));
  });
  server.listen(port, host);
  await once(server, "listening");
  server.on("error", onError);
  const address = server.address() as AddressInfo;
  let closing: Promise<void> | undefined;
  const close = (): Promise<void> => (closing ??= closeServer(server));
  return {
    port: address.port,
    url: `http://${isIPv6(address.address) ? `[${address.address}]` : address.address}:${address.port}`,
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** Never rejects, and never reveals details of an error. */
async function answer(
  request: IncomingMessage,
  paths: HttpServerOptions["paths"],
  onError: (error: unknown) => void,
): Promise<HttpReply> {
  const [path = ""] = (request.url ?? "").split("?", 1);
  const reply = Object.hasOwn(paths, path) ? paths[path] : undefined;
  if (reply === undefined) return { status: 404, body: `the paths are ${enumerate(Object.keys(paths))}\n` };
  if (request.method !== "GET" && request.method !== "HEAD") {
    return { status: 405, body: "only GET and HEAD are allowed\n", headers: { allow: "GET, HEAD" } };
  }
  try {
    return await reply(request);
  } catch (error) {
    onError(error);
    return { status: 503, body: "unavailable\n" };
  }
}

function enumerate(names: readonly string[]): string {
  return [names.slice(0, -1).join(", "), ...names.slice(-1)].filter((part) => part !== "").join(" and ");
}

function send(response: ServerResponse, { status, body, headers }: HttpReply, server: Server): void {
  response.writeHead(status, {
    "content-type": "text/plain; charset=utf-8",
    "content-length": Buffer.byteLength(body),
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    ...headers,
    ...(server.listening ? {} : { connection: "close" }),
  });
  response.end(body);
}

async function closeServer(server: Server): Promise<void> {
  const closed = once(server, "close");
  server.close();
  server.closeIdleConnections();
  const cancel = systemClock.setTimer(CLOSE_GRACE_MS, () => server.closeAllConnections());
  await closed;
  cancel();
}

/** Accepts requests with `Authorization: Bearer <token>`; all requests if the token is `null`. */
export function createGuard(
  token: string | null,
): <Request extends Pick<IncomingMessage, "headers">>(
  reply: (request: Request) => Promise<HttpReply>,
) => (request: Request) => Promise<HttpReply> {
  const expected = token === null ? null : hash(token);
  return (reply) => async (request) => {
    const sent = /^Bearer +(\S+) *$/i.exec(request.headers.authorization ?? "")?.[1];
    // Hashes have the same length, whatever was sent, so that the comparison takes constant time.
    if (expected !== null && !timingSafeEqual(hash(sent ?? ""), expected)) {
      return { status: 401, body: "unauthorized\n", headers: { "www-authenticate": "Bearer" } };
    }
    return reply(request);
  };
}

function hash(token: string): Buffer {
  return createHash("sha256").update(token).digest();
}
