/**
 * A gRPC server on our own listener. The library's own cannot be closed completely while the other end of a connection is
 * silent, and prints to stderr if an address is in use.
 */
import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import type * as Grpc from "@grpc/grpc-js";
import type { Clock } from "@redis-batch/core/internal/service";

export interface GrpcServerOptions {
  readonly host: string;
  readonly port: number;
  readonly credentials: Grpc.ServerCredentials;
  readonly clock: Clock;
}

export interface ListeningGrpcServer {
  readonly port: number;
  /** Accepts no more connections, and waits for active calls, but not forever. */
  close(): Promise<void>;
}

const CLOSE_GRACE_MS = 1_000;
// Far more than KEDA and probes open.
const MAX_CONNECTIONS = 256;

/** @throws when the address is in use, or does not belong to this machine */
export async function listen(server: Grpc.Server, options: GrpcServerOptions): Promise<ListeningGrpcServer> {
  const { host, port, credentials, clock } = options;
  const injector = server.createConnectionInjector(credentials);
  const sockets = new Set<Socket>();
  const listener = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
    // The close event is enough; without a listener the error would end the process.
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
      // It closes only once all connections are closed.
      await closed;
      cancel();
    },
  };
}
