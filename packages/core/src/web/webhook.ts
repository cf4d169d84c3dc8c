import type { IncomingMessage } from "node:http";
import { request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import { isError } from "../errors/thrown.ts";
import type { OptionsReader } from "../options/options-reader.ts";
import type { AttemptOutcome } from "./delivery.ts";
import { SIGNATURE_HEADER, signBody } from "./signature.ts";

/** The receiver of notifications. */
export interface WebhookTarget {
  readonly url: URL;
  readonly secret: string | null;
  readonly headers: Readonly<Record<string, string>>;
  /** The `User-Agent` of the sender. */
  readonly userAgent: string;
  /** Maximum time of one attempt, from connecting to the answer, in milliseconds. */
  readonly timeoutMs: number;
}

/** The options of a target. */
interface WebhookOptions {
  readonly url: string | undefined;
  readonly secret: string | undefined;
  readonly headers: Readonly<Record<string, string>> | undefined;
}

/**
 * Reads a target from options, which each service names differently. Returns `null` and reports problems if they are
 * wrong. No problem quotes an address or a secret.
 */
export function readWebhook(
  reader: OptionsReader,
  { url: given, secret, headers = {} }: WebhookOptions,
  names: Readonly<Record<keyof WebhookOptions, string>>,
  rest: Pick<WebhookTarget, "userAgent" | "timeoutMs">,
): WebhookTarget | null {
  const url = typeof given === "string" && URL.canParse(given) ? new URL(given) : null;
  if (url === null || !["http:", "https:"].includes(url.protocol)) {
    reader.problem(`${names.url} must be a URL that starts with https:// or http://`);
  }
  if (secret !== undefined && (typeof secret !== "string" || secret.length < 16)) {
    reader.problem(`${names.secret} must be a text of 16 characters or more`);
  }
  if (!areHeaders(headers)) reader.problem(`${names.headers} must be an object of header names and values`);
  return url === null ? null : { url, secret: secret ?? null, headers: { ...headers }, ...rest };
}

function areHeaders(headers: unknown): headers is Readonly<Record<string, string>> {
  if (typeof headers !== "object" || headers === null) return false;
  return Object.entries(headers).every(
    ([name, value]) =>
      /^[\w!#$%&'*+.^`|~-]+$/.test(name) && typeof value === "string" && /^[\t\x20-\x7e]*$/.test(value),
  );
}

/** The name of a target in events: without path, query and user, any of which may contain a secret. */
export function describeTarget({ url }: WebhookTarget): string {
  return url.origin;
}

// An answer is read to its end, so that the receiver can write it. Its contents do not matter, so up to a limit.
const MAX_ANSWER_BYTES = 64 * 1_024;

/**
 * Sends a body once, and returns the result. Never rejects. Redirections are not followed: they would send the body and
 * its headers to another server.
 */
export async function sendWebhook(
  target: WebhookTarget,
  { body, headers: own }: { readonly body: string; readonly headers: Readonly<Record<string, string>> },
  signal: AbortSignal,
): Promise<AttemptOutcome> {
  const { url, secret, headers, userAgent, timeoutMs } = target;
  const timeout = AbortSignal.timeout(timeoutMs);
  const limit = AbortSignal.any([signal, timeout]);
  try {
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      const request = (url.protocol === "https:" ? requestHttps : requestHttp)(url, {
        method: "POST",
        // No connection is kept: notifications are rare, and a kept connection that broke unnoticed would fail the next one.
        agent: false,
        signal: limit,
        headers: {
          "user-agent": userAgent,
          ...headers,
          "content-type": "application/json",
          "content-length": Buffer.byteLength(body),
          ...own,
          ...(secret !== null && {
            [SIGNATURE_HEADER]: signBody(body, secret, Math.floor(Date.now() / 1_000)),
          }),
        },
      });
      request.once("response", resolve);
      // Listens for the whole request: a connection that breaks later must not end the process.
      request.on("error", reject);
      request.end(body);
    });
    const answer = response.statusCode ?? 0;
    const retryAfterMs = parseRetryAfter(response.headers["retry-after"]);
    await readAnswer(response);
    return { kind: "answered", status: answer, retryAfterMs };
  } catch (error) {
    if (timeout.aborted) return { kind: "failed", why: `did not answer within ${timeoutMs} ms` };
    if (signal.aborted) return { kind: "failed", why: "was cancelled because the service is closing" };
    return { kind: "failed", why: `could not be reached: ${codeOf(error)}` };
  }
}

/** Only the status matters: an answer that hangs or breaks off afterwards changes nothing. */
async function readAnswer(response: IncomingMessage): Promise<void> {
  let bytes = 0;
  try {
    for await (const chunk of response) {
      bytes += (chunk as Buffer).length;
      if (bytes > MAX_ANSWER_BYTES) break;
    }
  } catch {
    // It broke off, or timed out.
  }
}

/** The seconds of a `Retry-After`. Its other form, a date, is ignored, because it uses another clock. */
function parseRetryAfter(value: string | undefined): number | null {
  return value !== undefined && /^\d{1,9}$/.test(value) ? Number(value) * 1_000 : null;
}

/** Only the code: messages of network and TLS errors may quote the address. */
function codeOf(error: unknown): string {
  const code = isError(error) && "code" in error ? error.code : undefined;
  return typeof code === "string" ? code : "unknown error";
}
