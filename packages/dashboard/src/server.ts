/** The dashboard as a server of its own. */
import { once } from "node:events";
import { createServer } from "node:http";
import { type AddressInfo, isIPv6 } from "node:net";
import { systemClock } from "@redis-batch/core/internal/service";
import { openDashboard } from "./dashboard.ts";
import { type DashboardServerOptions, resolveServerOptions } from "./options.ts";

/** A running server. */
export interface DashboardServer extends AsyncDisposable {
  readonly port: number;
  /** Where it is reached from this machine. */
  readonly url: string;
  /** Stops listening, and closes the dashboard. Idempotent. */
  close(): Promise<void>;
}

const CLOSE_GRACE_MS = 1_000;
const MAX_CONNECTIONS = 512;
const REQUEST_TIMEOUT_MS = 10_000;
// The names of a stream and a group are in the address of a request, and there are long ones.
const LARGEST_HEADERS = 65_536;

/**
 * Starts a server that shows the dashboard, and begins to look at the streams.
 *
 * @throws {ConfigError} naming every wrong option; also if it listens for other machines and nobody has to sign in
 * @throws when the address is in use, or does not belong to this machine
 *
 * @example
 * ```ts no-run
 * const server = await startDashboard({ redis: "redis://localhost:6379" });
 * console.log(server.url);
 * ```
 */
export async function startDashboard(options: DashboardServerOptions): Promise<DashboardServer> {
  const { policy, host, port } = resolveServerOptions(options);
  const dashboard = openDashboard(policy);
  const server = createServer({
    ...{ requestTimeout: REQUEST_TIMEOUT_MS, headersTimeout: REQUEST_TIMEOUT_MS, maxHeaderSize: LARGEST_HEADERS },
  });
  server.maxConnections = MAX_CONNECTIONS;
  server.on("request", dashboard.handler);
  try {
    server.listen(port, host);
    await once(server, "listening");
  } catch (error) {
    await dashboard.close();
    throw error;
  }
  dashboard.start();
  const address = server.address() as AddressInfo;
  const shown = isIPv6(address.address) ? `[${address.address}]` : address.address;
  let closing: Promise<void> | undefined;
  const close = (): Promise<void> =>
    (closing ??= (async () => {
      const closed = once(server, "close");
      server.close();
      const cancel = systemClock.setTimer(CLOSE_GRACE_MS, () => server.closeAllConnections());
      await dashboard.close();
      server.closeIdleConnections();
      await closed;
      cancel();
    })());
  return {
    ...{ port: address.port, url: `http://${shown}:${address.port}${policy.prefix}/` },
    ...{ close, [Symbol.asyncDispose]: close },
  };
}
