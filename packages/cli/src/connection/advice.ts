import type { Place } from "./place.ts";

/** By what the connection failed of, as Node, OpenSSL, ioredis and servers put it; the first that fits. */
const ADVICE: readonly (readonly [failed: RegExp, fits: (place: Place) => boolean, advice: string])[] = [
  [
    /self-signed|unable to (?:verify|get)/i,
    () => true,
    "is it the server that you mean? --tls-ca names a file with the certificates to trust",
  ],
  [/altnames/, () => true, "address the server by a name that its certificate holds"],
  [/certificate|alert/i, () => true, "the server wants a certificate: --tls-cert and --tls-key"],
  [
    /slots cache|cluster support disabled/i,
    ({ isCluster }) => isCluster,
    "is it a Cluster at all? If not, leave --cluster out",
  ],
  [
    /Sentinel/,
    ({ sentinels }) => sentinels.length > 0,
    "are these Sentinels, and do they know a master of this --sentinel-name?",
  ],
  [/ECONNRESET|closed/, (place) => !speaksTls(place), "does the server want TLS? Then it is rediss://, or --tls-ca"],
  [
    /^(?!.*last error)|wrong version number|packet length/,
    speaksTls,
    "does the server speak TLS on this port? If not, it is redis://",
  ],
];

/** What to do where no connection comes about; `message` names the last thing that went wrong. */
export function adviseOnConnection(message: string, place: Place): string {
  const advice = ADVICE.find(([failed, fits]) => failed.test(message) && fits(place))?.[2] ?? "is the server running?";
  return `${advice}${advice.endsWith("?") ? "" : "."} The address comes from ${place.from}`;
}

function speaksTls({ url, tls }: Place): boolean {
  return tls !== undefined || url.startsWith("rediss:");
}
