/** Looks from outside at a line, or at a server, that should be out of order. */
import { connect } from "node:net";

/** How long a PING takes, in milliseconds; `undefined`: there is no connection, or no answer within the limit. */
export async function pingMs(
  { host, port }: { readonly host: string; readonly port: number },
  limitMs: number,
): Promise<number | undefined> {
  const { promise, resolve } = Promise.withResolvers<number | undefined>();
  const sentAtMs = performance.now();
  const socket = connect({ host, port }, () => socket.write("PING\r\n"));
  const limit = setTimeout(() => socket.destroy(), limitMs);
  socket.once("data", () => {
    resolve(performance.now() - sentAtMs);
    socket.destroy();
  });
  socket.on("error", () => undefined);
  socket.once("close", () => {
    clearTimeout(limit);
    resolve(undefined);
  });
  return promise;
}
