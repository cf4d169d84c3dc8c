import { type Place, urlOf } from "./place.ts";

/** By the words of Node, OpenSSL, ioredis and servers for why the connection failed; the first match counts. */
const ADVICE: readonly (readonly [failed: RegExp, fits: (url: string) => boolean, advice: string])[] = [
  // Alerts come from the server, and are about the client's certificate.
  [/alert certificate expired/i, () => true, "renew the client certificate that --tls-cert names"],
  [/alert unknown ca/i, () => true, "--tls-cert must name a certificate that the server's authority has signed"],
  [
    /alert (?:bad|unsupported) certificate|alert certificate (?:revoked|unknown)/i,
    () => true,
    "give another client certificate: --tls-cert and --tls-key",
  ],
  [
    /alert (?:certificate required|handshake failure)|certificate required/i,
    () => true,
    "the server requires a client certificate: --tls-cert and --tls-key",
  ],
  [/key values mismatch/i, () => true, "--tls-key must name the private key of the certificate that --tls-cert names"],
  [/has expired|no longer valid/i, () => true, "renew the server's certificate, or correct the clock of this machine"],
  [/not yet valid/i, () => true, "correct the clock of this machine, or wait until the server's certificate is valid"],
  [
    /self-signed|unable to (?:verify|get)|not signed by/i,
    () => true,
    "is this the right server? --tls-ca names a file with the certificates to trust",
  ],
  [/altnames/, () => true, "use a host name that is in the server's certificate"],
  [
    /slots cache|cluster support disabled/i,
    (url) => /\+cluster:/i.test(url),
    "is this server part of a Cluster? If not, leave out --cluster",
  ],
  [
    /All sentinels are unreachable\.|invalid reply/,
    (url) => /\+sentinel:/i.test(url),
    "are these Sentinels, and do they know a master of this --sentinel-name?",
  ],
  [/ECONNRESET|closed/, (url) => !speaksTls(url), "does the server require TLS? Then use rediss://, or --tls-ca"],
  [
    /^(?!.*last error)|wrong version number|packet length/,
    speaksTls,
    "does the server use TLS on this port? If not, use redis://",
  ],
  [/ENOTFOUND|EAI_AGAIN/, () => true, "is the host name right?"],
];

/** What to do if no connection can be made; `message` is the last error. */
export function adviseOnConnection(message: string, place: Place): string {
  const url = urlOf(place);
  const advice = ADVICE.find(([failed, fits]) => failed.test(message) && fits(url))?.[2] ?? "is the server running?";
  return `${advice}${advice.endsWith("?") ? "" : "."} The address comes from ${place.from}`;
}

function speaksTls(url: string): boolean {
  return /^rediss[:+]/i.test(url);
}
