/** One request to a cluster's API server at a time, over `node:https`. */

import type { IncomingMessage } from "node:http";
import { request as requestHttps } from "node:https";
import type { TLSSocket } from "node:tls";
import { ConnectionError, ReplyShapeError, ServerStateError } from "@redis-batch/core";
import { isError } from "@redis-batch/core/internal/errors";
import type { Clock } from "@redis-batch/core/internal/service";
import type { ClusterAccess, Credentials } from "./access.ts";
import { type Answer, parseRetryAfter, type Question, refusalOf, subject } from "./answer.ts";

export interface ApiClientOptions {
  readonly access: ClusterAccess;
  /** Maximum time of one request, from connecting to the answer, in milliseconds. */
  readonly timeoutMs: number;
  readonly clock: Clock;
}

export interface ApiRequest {
  readonly question: Question;
  readonly path: string;
  /** A merge patch. */
  readonly patch?: unknown;
}

// A Scale has a few hundred bytes.
const MAX_ANSWER_BYTES = 1_024 * 1_024;
// The longest pause that is granted.
const LONGEST_PAUSE_MS = 300_000;

export class ApiClient {
  readonly #options: ApiClientOptions;
  #pausedUntilMs = Number.NEGATIVE_INFINITY;

  constructor(options: ApiClientOptions) {
    this.#options = options;
  }

  /**
   * The body of a successful answer.
   *
   * @throws {ConnectionError} {@link ServerStateError} {@link PermissionError} {@link CommandError}
   */
  async ask(request: ApiRequest, signal: AbortSignal): Promise<string> {
    const { access, timeoutMs, clock } = this.#options;
    const { question } = request;
    const leftMs = this.#pausedUntilMs - clock.nowMs();
    if (leftMs > 0) {
      throw new ServerStateError(
        `${subject(question)}: the API server asked for a pause, with ${Math.ceil(leftMs / 1_000)} s left`,
        { state: "Retry-After" },
      );
    }
    const credentials = await access.credentials();
    const answer = await send(access.server, request, credentials, timeoutMs, signal);
    if (answer.status >= 200 && answer.status < 300) return answer.body;
    const pauseMs = parseRetryAfter(answer.retryAfter);
    if (pauseMs !== null) this.#pausedUntilMs = clock.nowMs() + Math.min(pauseMs, LONGEST_PAUSE_MS);
    throw refusalOf({ ...answer, body: withoutSecrets(answer.body, credentials) }, question);
  }
}

/** Sends it once. Redirections are not followed: they would send the token to another server. */
async function send(
  server: URL,
  { question, path, patch }: ApiRequest,
  { authorization, headers, tls }: Credentials,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<Answer> {
  const body = patch === undefined ? undefined : JSON.stringify(patch);
  const timeout = AbortSignal.timeout(timeoutMs);
  let isSent = false;
  try {
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      const request = requestHttps(new URL(`${server.pathname.replace(/\/$/, "")}${path}`, server), {
        ...tls,
        method: question.verb.toUpperCase(),
        // No connection is kept: requests are seconds apart, and a connection that broke unnoticed would fail the next one.
        agent: false,
        signal: AbortSignal.any([signal, timeout]),
        headers: {
          accept: "application/json",
          "user-agent": "redis-batch-scaler",
          ...headers,
          ...(authorization !== undefined && { authorization }),
          ...(body !== undefined && {
            "content-type": "application/merge-patch+json",
            "content-length": Buffer.byteLength(body),
          }),
        },
      });
      request.once("socket", (socket) => (socket as TLSSocket).once("secureConnect", () => (isSent = true)));
      request.once("response", resolve);
      // Listens for the whole request: a connection that breaks later must not end the process.
      request.on("error", reject);
      request.end(body);
    });
    const text = await readBody(response, question);
    return { status: response.statusCode ?? 0, retryAfter: response.headers["retry-after"], body: text };
  } catch (error) {
    if (ReplyShapeError.is(error)) throw error;
    signal.throwIfAborted();
    const outcome = isSent ? "unknown" : "not-sent";
    if (timeout.aborted) {
      const what = isSent ? "was not answered" : `could not be sent to ${server.host}`;
      throw new ConnectionError(
        `${subject(question)} ${what} within ${timeoutMs} ms: check the network policy and requestTimeoutMs`,
        { outcome },
      );
    }
    throw new ConnectionError(`${subject(question)}: ${describeFailure(error, server, isSent)}`, { outcome });
  }
}

async function readBody(response: IncomingMessage, question: Question): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response) {
    bytes += (chunk as Buffer).length;
    if (bytes > MAX_ANSWER_BYTES) throw new ReplyShapeError(`${subject(question)} was answered with more than 1 MiB`);
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks).toString("utf8");
}

/** Without the error's own message, which may quote the request. */
function describeFailure(error: unknown, { host }: URL, isSent: boolean): string {
  const code = isError(error) && "code" in error ? String(error.code) : "unknown error";
  if (isSent) return `the connection to ${host} broke before the answer arrived (${code})`;
  const isDistrusted = /CERT|SELF_SIGNED|UNABLE_TO_|ALTNAME|ERR_TLS/.test(code);
  const advice = isDistrusted
    ? ": its certificate must be valid for this name, and signed by the access's certificate authority"
    : "";
  return `${host} could not be reached (${code})${advice}`;
}

/** The request may be repeated in an answer, and answers are quoted. */
function withoutSecrets(body: string, { authorization }: Credentials): string {
  const secret = authorization?.split(" ").at(-1);
  return secret ? body.replaceAll(secret, "***") : body;
}
