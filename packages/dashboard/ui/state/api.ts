/** Asks the server. Addresses are relative to the page, so they hold under any prefix. */

class AskError extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

export type Parameters = Readonly<Record<string, string | number | null | undefined>>;

/** A name for a query: bytes that are no text survive as JSON writes them. */
export const nameText = (name: string): string => JSON.stringify(name).slice(1, -1);

export function addressOf(path: string, parameters: Parameters = {}): string {
  const url = new URL(`api/${path}`, location.href.split(/[?#]/, 1)[0]);
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== null && value !== undefined) url.searchParams.set(name, String(value));
  }
  return url.href;
}

interface AskOptions {
  readonly method?: "GET" | "POST" | "DELETE";
  readonly parameters?: Parameters;
  readonly body?: unknown;
  readonly signal?: AbortSignal;
}

export async function ask<Answer>(path: string, options: AskOptions = {}): Promise<Answer> {
  const { method = "GET", parameters, body, signal } = options;
  const response = await fetch(addressOf(path, parameters), {
    method,
    ...(signal === undefined ? {} : { signal }),
    ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { "content-type": "application/json" } }),
  }).catch((error: unknown) => {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new AskError(0, "The dashboard's server does not answer.");
  });
  if (response.ok) return (await response.json()) as Answer;
  const { error } = (await response.json().catch(() => ({}))) as { readonly error?: string };
  throw new AskError(response.status, error ?? `The server answered with ${response.status}.`);
}
