/** A web server of the test: what the programs send to. */
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";

export interface Answer {
  readonly status: number;
  readonly body?: unknown;
}

export interface Receiver extends AsyncDisposable {
  readonly url: string;
}

export async function receive(answer: (request: IncomingMessage, body: Buffer) => Answer): Promise<Receiver> {
  const reply = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { status, body = {} } = answer(request, await buffer(request));
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
  };
  const server = createServer((request, response) => {
    // A request that ends in the middle: its process was killed.
    reply(request, response).catch(() => response.destroy());
  }).listen(0, "127.0.0.1");
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
