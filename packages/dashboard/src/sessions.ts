/**
 * Who has signed in. A session is a signed cookie, so nothing has to be remembered, and several dashboards with the same
 * tokens accept each other's. It ends when its token is changed.
 */
import { createHash, createHmac, timingSafeEqual } from "node:crypto";

const LIFETIME_MS = 12 * 3_600_000;

export class Sessions {
  readonly #hashes: ReadonlyMap<string, Buffer>;

  /** @param tokens of each name */
  constructor(tokens: ReadonlyMap<string, string>) {
    this.#hashes = new Map([...tokens].map(([name, token]) => [name, hash(token)]));
  }

  /** Whose token this is; `null` if it is none. Takes the same time whatever was sent. */
  whose(token: string): string | null {
    const sent = hash(token);
    let found: string | null = null;
    for (const [name, expected] of this.#hashes) if (timingSafeEqual(sent, expected)) found = name;
    return found;
  }

  /** The value of a cookie for somebody whose token was right. */
  open(name: string, nowMs: number): { readonly value: string; readonly maxAgeSeconds: number } {
    const body = `${Buffer.from(name).toString("base64url")}.${nowMs + LIFETIME_MS}`;
    return { value: `${body}.${this.#sign(name, body)}`, maxAgeSeconds: LIFETIME_MS / 1_000 };
  }

  /** Who has signed in with this cookie; `null` if it is none of ours, or too old. */
  read(value: string, nowMs: number): string | null {
    const [, body = "", encoded = "", until = "", signature = ""] =
      /^(([\w-]+)\.(\d{1,16}))\.([\w-]+)$/.exec(value) ?? [];
    const name = Buffer.from(encoded, "base64url").toString();
    if (!this.#hashes.has(name) || Number(until) <= nowMs) return null;
    return timingSafeEqual(hash(signature), hash(this.#sign(name, body))) ? name : null;
  }

  #sign(name: string, body: string): string {
    return createHmac("sha256", this.#hashes.get(name) ?? "")
      .update(body)
      .digest("base64url");
  }
}

function hash(text: string): Buffer {
  return createHash("sha256").update("redis-batch dashboard\0").update(text).digest();
}
