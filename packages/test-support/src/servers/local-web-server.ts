import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";

/** A web server of a test, on a free port of this machine. Ends with all its connections. */
export interface LocalWebServer extends AsyncDisposable {
  /** Without a slash at its end. */
  readonly url: string;
}

export async function serveLocally(listener: RequestListener): Promise<LocalWebServer> {
  const server = createServer(listener).listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}
