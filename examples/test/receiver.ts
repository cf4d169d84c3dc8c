/** A web server of the test: what the programs send to. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { buffer } from "node:stream/consumers";
import { type LocalWebServer, serveLocally } from "@redis-batch/test-support";

export interface Answer {
  readonly status: number;
  readonly body?: unknown;
}

export function receive(answer: (request: IncomingMessage, body: Buffer) => Answer): Promise<LocalWebServer> {
  const reply = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { status, body = {} } = answer(request, await buffer(request));
    response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
  };
  return serveLocally((request, response) => {
    // A request that ends in the middle: its process was killed.
    reply(request, response).catch(() => response.destroy());
  });
}
