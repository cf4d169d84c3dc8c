/**
 * A gRPC server on a listener of our own. The library's own one cannot be closed for good while the other end of a
 * connection is silent, and complains on stderr where an address is taken.
 */
import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import type * as Grpc from "@grpc/grpc-js";
import type { Clock } from "@redis-batch/core/internal";

export interface GrpcServerOptions {
  readonly host: string;
  readonly port: number;
  readonly credentials: Grpc.ServerCredentials;
  readonly clock: Clock;
}

export interface ListeningGrpcServer {
  readonly port: number;
  /** Lets nobody in any more, and waits for what is under way, but not for ever. */
  close(): Promise<void>;
}

const CLOSE_GRACE_MS = 1_000;
// Far more than KEDA and probes open.
const MAX_CONNECTIONS = 256;

/** @throws when the address is taken, or not this machine's */
export async function listen(server: Grpc.Server, options: GrpcServerOptions): Promise<ListeningGrpcServer> {
  const { host, port, credentials, clock } = options;
  const injector = server.createConnectionInjector(credentials);
  const sockets = new Set<Socket>();
  const listener = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
    // Its closing tells all there is to tell; without a listener it would end the process.
    socket.on("error", () => undefined);
    injector.injectConnection(socket);
  });
  listener.maxConnections = MAX_CONNECTIONS;
  listener.listen(port, host);
  await once(listener, "listening");
  return {
    port: (listener.address() as AddressInfo).port,
    async close() {
      const closed = once(listener, "close");
      listener.close();
      server.tryShutdown(() => undefined);
      const cancel = clock.setTimer(CLOSE_GRACE_MS, () => {
        for (const socket of sockets) socket.destroy();
      });
      // It is only once all connections are.
      await closed;
      cancel();
    },
  };
}
