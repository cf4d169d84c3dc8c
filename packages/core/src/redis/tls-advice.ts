/** By the codes and words of Node and OpenSSL for why TLS failed; the first match counts. */
const ADVICE: readonly (readonly [failed: RegExp, advice: string])[] = [
  // Alerts come from the server. They are about our certificate, never about its own.
  [/alert certificate required/i, "the server requires a client certificate: set tls.cert and tls.key"],
  [/alert certificate expired/i, "the client certificate (tls.cert) has expired, says the server"],
  [
    /alert unknown ca/i,
    "the server does not trust the authority that signed the client certificate (tls.cert); its tls-ca-cert-file names those it trusts",
  ],
  [
    /alert (?:bad|unsupported|unknown) certificate|alert certificate (?:revoked|unknown)/i,
    "the server rejects the client certificate (tls.cert)",
  ],
  [/alert protocol version|unsupported protocol/i, "client and server have no version of TLS in common"],
  [
    /alert handshake failure/i,
    "the server ended the TLS handshake: it may require a client certificate (tls.cert and tls.key), or other ciphers",
  ],
  [/alert unrecognized name/i, "the server does not know the host name that it was asked for: see tls.servername"],
  [/key values mismatch/i, "the client certificate (tls.cert) and the private key (tls.key) do not belong together"],
  [
    /CERT_HAS_EXPIRED/,
    "the server's certificate, or that of the authority that signed it, is no longer valid: renew it",
  ],
  [/CERT_NOT_YET_VALID/, "the server's certificate becomes valid later: is the clock of this machine right?"],
  [
    /ERR_TLS_CERT_ALTNAME_INVALID/,
    "the server's certificate is for other names: connect by one of them, or set tls.servername to it",
  ],
  [
    /SELF_SIGNED|UNABLE_TO_(?:VERIFY|GET)|CERT_UNTRUSTED|CERT_SIGNATURE_FAILURE|INVALID_CA/,
    "the server's certificate was not signed by an authority that is trusted here: set tls.ca (or the environment's " +
      "NODE_EXTRA_CA_CERTS) to the certificate of the authority that did",
  ],
];

/** What may help if this error of a TLS connection was about certificates. */
export function adviseOnTls(error: unknown): string | undefined {
  const { code, message, cert } = Object(error) as {
    readonly code?: unknown;
    readonly message?: unknown;
    readonly cert?: { readonly subjectaltname?: string };
  };
  const words = `${String(code)} ${String(message)}`;
  const advice = ADVICE.find(([failed]) => failed.test(words))?.[1];
  // Node names the names only if it was a name that did not match.
  const names = cert?.subjectaltname;
  return names === undefined || words.includes(names) ? advice : `${advice}; it is for ${names}`;
}
