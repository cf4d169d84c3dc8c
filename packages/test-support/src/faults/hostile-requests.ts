/** Requests that arrive at an open port, besides those of its clients. */
import { connect } from "node:net";

const HOST = "Host: there\r\n";
const whole = (line: string, headers = HOST): string => `${line} HTTP/1.1\r\n${headers}\r\n`;

/** Requests that no client of ours sends, byte for byte. None of them may end a server's process. */
export const HOSTILE_REQUESTS: Readonly<Record<string, string>> = {
  "a path of slashes": whole("GET //"),
  "slashes and a port": whole("GET //:99999/"),
  "an absolute target": whole("GET http://there/healthz"),
  "an absolute target that is no URL": whole("GET http://[::/"),
  "a target that is a port": whole("GET http://:99999999/"),
  "an asterisk": whole("OPTIONS *"),
  "invalid percent encoding": whole("GET /%"),
  "percent encoding that is not UTF-8": whole("GET /%ff%fe?%"),
  "a tunnel": whole("CONNECT there:443"),
  "an upgrade": whole("GET /healthz", `${HOST}Connection: Upgrade\r\nUpgrade: websocket\r\n`),
  "an expectation": whole("GET /healthz", `${HOST}Expect: everything\r\n`),
  "no host": whole("GET /healthz", ""),
  "a host that is none": whole("GET /healthz", "Host: [::%]:99999\r\n"),
  "huge headers": whole("GET /healthz", `${HOST}X: ${"x".repeat(200_000)}\r\n`),
  "a huge target": whole(`GET /${"x".repeat(200_000)}`),
  "the name of every object": whole("GET __proto__"),
  "two lengths": whole("POST /", `${HOST}Content-Length: 1\r\nContent-Length: 2\r\n`),
  "a chunk that is none": `${whole("POST /", `${HOST}Transfer-Encoding: chunked\r\n`)}zz\r\n`,
  "half a line": "GET /hea",
  "half a header": `GET /healthz HTTP/1.1\r\n${HOST}X-Half: ha`,
  "half a body": `${whole("POST /", `${HOST}Content-Length: 100\r\n`)}half`,
  "another protocol": "\u0016\u0003\u0001\u0002\u0000\u0001\u0000\u0001\u00fc\u0003\u0003",
  nothing: "",
};

/**
 * Sends each of them twice: once it half-closes the connection afterwards, once it breaks it. Resolves
 * when all connections are closed; the caller checks the server's reaction.
 */
export async function sendHostileRequests(port: number, host = "127.0.0.1"): Promise<void> {
  for (const request of Object.values(HOSTILE_REQUESTS)) {
    await Promise.all([send(request, { port, host }, false), send(request, { port, host }, true)]);
  }
}

async function send(
  request: string,
  address: { readonly port: number; readonly host: string },
  isBroken: boolean,
): Promise<void> {
  const socket = connect(address);
  // A server may close it first.
  socket.on("error", () => undefined);
  socket.resume();
  const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
  socket.once("connect", () => {
    if (isBroken) socket.write(request, "latin1", () => socket.resetAndDestroy());
    else socket.end(request, "latin1");
  });
  await closed;
}
