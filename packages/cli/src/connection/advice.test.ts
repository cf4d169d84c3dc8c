import { expect, test } from "vitest";
import { adviseOnConnection } from "./advice.ts";
import type { Place } from "./place.ts";

const PLAIN: Place = {
  from: "the command line",
  url: "redis://h",
  user: undefined,
  password: { kind: "none" },
  sentinels: [],
  sentinelName: "mymaster",
  isCluster: false,
  tls: undefined,
};
const TLS: Place = { ...PLAIN, url: "rediss://h" };

// Messages of real servers that were reached in these ways.
test.each([
  [TLS, "last error: self-signed certificate; if the root CA is installed locally, …", "--tls-ca names"],
  [TLS, "last error: unable to verify the first certificate", "--tls-ca names"],
  [TLS, "last error: Hostname/IP does not match certificate's altnames: IP: 127.0.0.1", "in the server's certificate"],
  [TLS, "last error: ssl/tls alert certificate required", "--tls-cert and --tls-key"],
  [TLS, "no connection within 2000 ms (commands connection to h:6379)", "use redis://"],
  [PLAIN, "last error: read ECONNRESET", "use rediss://"],
  [TLS, "last error: certificate has expired (the server's certificate …)", "renew the server's certificate"],
  [TLS, "last error: certificate is not yet valid", "correct the clock"],
  [TLS, "last error: … ssl/tls alert certificate expired …", "renew the client certificate"],
  [TLS, "last error: … tlsv1 alert unknown ca …", "--tls-cert must name"],
  [PLAIN, "last error: getaddrinfo ENOTFOUND h", "is the host name right?"],
  [
    PLAIN,
    "last error: connect ECONNREFUSED 127.0.0.1:1",
    "is the server running? The address comes from the command line",
  ],
  [PLAIN, "no connection within 2000 ms (commands connection to h:6379)", "is the server running?"],
  [{ ...PLAIN, isCluster: true }, "last error: Failed to refresh slots cache.", "leave out --cluster"],
  [
    { ...PLAIN, sentinels: [{ host: "h", port: 1 }] },
    "by Sentinel; last error: All sentinels are unreachable. Last error: Connection is closed.",
    "are these Sentinels",
  ],
])("%# says what may help against %j", (place, message, advice) => {
  expect(adviseOnConnection(message, place)).toContain(advice);
  expect(adviseOnConnection(message, place)).toMatch(/The address comes from the command line$/);
});
