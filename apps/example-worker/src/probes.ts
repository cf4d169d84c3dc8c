import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { ConsumerHealth } from "@redis-batch/consumer";

export interface Probes extends AsyncDisposable {
  readonly port: number;
}

/**
 * Answers `/healthz` (200 while the worker is healthy, else 503: restart it) and `/readyz` (200 while it
 * is connected and reading, else 503), both with the consumer's health as JSON. Port 0 picks a free one.
 *
 * @throws when the port is in use
 */
export async function startProbes(
  { host, port }: { readonly host: string; readonly port: number },
  health: () => ConsumerHealth,
): Promise<Probes> {
  const server = createServer((request, response) => {
    const now = health();
    // Not with URL, which throws on invalid paths such as "//", which any client may send.
    const [path] = (request.url ?? "").split("?", 1);
    const isWell = path === "/healthz" ? now.live : path === "/readyz" ? now.ready : undefined;
    const status = isWell === undefined ? 404 : isWell ? 200 : 503;
    response.writeHead(status, { "content-type": "application/json", "cache-control": "no-store" });
    response.end(`${JSON.stringify(isWell === undefined ? { error: "use /healthz or /readyz" } : now)}\n`);
  });
  server.listen(port, host);
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    [Symbol.asyncDispose]: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, "close");
    },
  };
}
