import type { Place } from "./place.ts";

/** By the words of Node, OpenSSL, ioredis and servers for why the connection failed; the first match counts. */
const ADVICE: readonly (readonly [failed: RegExp, fits: (place: Place) => boolean, advice: string])[] = [
  [
    /self-signed|unable to (?:verify|get)/i,
    () => true,
    "is this the right server? --tls-ca names a file with the certificates to trust",
  ],
  [/altnames/, () => true, "use a host name that is in the server's certificate"],
  [/certificate|alert/i, () => true, "the server requires a client certificate: --tls-cert and --tls-key"],
  [
    /slots cache|cluster support disabled/i,
    ({ isCluster }) => isCluster,
    "is this server part of a Cluster? If not, leave out --cluster",
  ],
  [
    /Sentinel/,
    ({ sentinels }) => sentinels.length > 0,
    "are these Sentinels, and do they know a master of this --sentinel-name?",
  ],
  [/ECONNRESET|closed/, (place) => !speaksTls(place), "does the server require TLS? Then use rediss://, or --tls-ca"],
  [
    /^(?!.*last error)|wrong version number|packet length/,
    speaksTls,
    "does the server use TLS on this port? If not, use redis://",
  ],
];

/** What to do if no connection can be made; `message` is the last error. */
export function adviseOnConnection(message: string, place: Place): string {
  const advice = ADVICE.find(([failed, fits]) => failed.test(message) && fits(place))?.[2] ?? "is the server running?";
  return `${advice}${advice.endsWith("?") ? "" : "."} The address comes from ${place.from}`;
}

function speaksTls({ url, tls }: Place): boolean {
  return tls !== undefined || url.startsWith("rediss:");
}
