/** Requests with exactly the headers that a test wants, and what there is to ask for. */
import { once } from "node:events";
import { request as httpRequest, type IncomingMessage } from "node:http";
import { text } from "node:stream/consumers";
import { type RedisServer, uniqueName } from "@redis-batch/test-support";

export interface Asked {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

export interface Answer {
  readonly status: number | undefined;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

/** With these headers and no others: `fetch` would not send them all. */
export async function ask(
  port: number,
  path: string,
  { method = "GET", headers = {}, body }: Asked = {},
): Promise<Answer> {
  const sent = httpRequest({ host: "127.0.0.1", port, path, method, headers });
  sent.end(body === undefined ? undefined : JSON.stringify(body));
  const [response] = (await once(sent, "response")) as [IncomingMessage];
  return { status: response.statusCode, headers: response.headers, body: await text(response) };
}

export const json = (answer: Answer) => JSON.parse(answer.body) as Readonly<Record<string, unknown>>;

/** A stream with a group, of which one message is a dead letter. */
export async function groupWithLetter(server: RedisServer): Promise<string> {
  const stream = uniqueName("orders");
  const id = String(await server.command("XADD", stream, "*", "password", "hunter-2", "order", "A-17"));
  await server.command("XGROUP", "CREATE", stream, "g", "$");
  const history = [
    "id",
    id,
    "consumer",
    "c",
    "deliveries",
    "1",
    "reason",
    "rejected",
    "error",
    "no order 17",
    "at",
    "1",
  ];
  const letter = history.map((word, at) => (at % 2 === 0 ? `dead.${word}` : word));
  await server.command("XADD", `rb:{${stream}}:dead:${stream}:g`, "*", "password", "hunter-2", ...letter);
  return stream;
}
