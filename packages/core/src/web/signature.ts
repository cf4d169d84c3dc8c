import { createHash, createHmac, timingSafeEqual } from "node:crypto";

/** The header with a webhook's signature: `t=<seconds since 1970>,v1=<hex>`. */
export const SIGNATURE_HEADER = "redis-batch-signature";

/** The value of the signature header: HMAC-SHA256 with the secret over `<seconds>.<body>`. */
export function signBody(body: string, secret: string, atSeconds: number): string {
  return `t=${atSeconds},v1=${hmac(body, secret, String(atSeconds)).toString("hex")}`;
}

export interface VerifySignatureOptions {
  /** The body as it was received, before it was parsed. */
  readonly body: string;
  /** The value of the header `redis-batch-signature`; `undefined` if there is none. */
  readonly signature: string | undefined;
  readonly secret: string;
  /** Maximum distance of the signature's time from now, in seconds. Default 300: older requests may be replays. */
  readonly toleranceSeconds?: number;
  /** The current time, in milliseconds since 1970. Default: this machine's. */
  readonly nowMs?: number;
}

/**
 * Whether a webhook's body was sent by someone who knows the secret, and not too long ago. Takes the same time for every
 * wrong signature.
 */
export function verifySignature(options: VerifySignatureOptions): boolean {
  const { body, signature, secret, toleranceSeconds = 300, nowMs = Date.now() } = options;
  const [, seconds, hex] = /^t=(\d{1,15}),v1=([0-9a-f]{64})$/.exec(signature ?? "") ?? [];
  const expected = hmac(body, secret, seconds ?? "");
  const isGenuine = timingSafeEqual(sha256(Buffer.from(hex ?? "", "hex")), sha256(expected));
  return isGenuine && Math.abs(nowMs / 1_000 - Number(seconds)) <= toleranceSeconds;
}

function hmac(body: string, secret: string, seconds: string): Buffer {
  return createHmac("sha256", secret).update(`${seconds}.${body}`).digest();
}

/** Always of the same length, whatever was received. */
function sha256(bytes: Buffer): Buffer {
  return createHash("sha256").update(bytes).digest();
}
