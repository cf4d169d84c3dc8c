import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { findExecutable } from "./executable.ts";
import { createScratchFolder } from "./scratch-folder.ts";

/** A throw-away authority and one certificate for `localhost` and 127.0.0.1, as files. */
export interface Certificates {
  readonly folder: string;
  readonly caPath: string;
  readonly certPath: string;
  readonly keyPath: string;
  readonly ca: Buffer;
  readonly cert: Buffer;
  readonly key: Buffer;
}

let certificates: Certificates | undefined;

/**
 * The certificates of this process, made on first use (some 50 ms).
 *
 * @throws {Error} when openssl is not installed.
 */
export function testCertificates(): Certificates {
  certificates ??= makeCertificates();
  return certificates;
}

/**
 * Certificates of an authority of their own, which nobody else trusts.
 *
 * @param of the names, and days from now, that the server's certificate is for
 */
export function strangeCertificates(of: CertificateLimits = {}): Certificates {
  return makeCertificates(of);
}

export interface CertificateLimits {
  /** Default: `DNS:localhost,IP:127.0.0.1`. */
  readonly names?: string;
  /** When it becomes valid, and when no longer, in days from now: 0 and 2 by default. */
  readonly fromDays?: number;
  readonly untilDays?: number;
}

const NEW_KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"] as const;

/** What `openssl ca` needs, the only one of its programs that sets both dates. */
const AUTHORITY = `[ca]
default_ca = own
[own]
database = index
new_certs_dir = .
default_md = sha256
policy = any
rand_serial = yes
[any]
commonName = supplied
`;

function makeCertificates(of: CertificateLimits = {}): Certificates {
  const { names = "DNS:localhost,IP:127.0.0.1", fromDays = 0, untilDays = 2 } = of;
  const openssl = findExecutable("openssl", process.env["PATH"]);
  if (openssl === undefined) throw new Error("a TLS test server needs openssl, to make its certificates: install it");
  const folder = createScratchFolder();
  const run = (...args: string[]) => execFileSync(openssl, args, { cwd: folder, stdio: ["ignore", "ignore", "pipe"] });
  run(
    "req",
    "-x509",
    ...NEW_KEY,
    "-keyout",
    "ca.key",
    "-out",
    "ca.crt",
    "-days",
    "2",
    "-subj",
    "/CN=Redis Batch tests",
  );
  run("req", ...NEW_KEY, "-keyout", "server.key", "-out", "server.csr", "-subj", "/CN=localhost");
  writeFileSync(join(folder, "names"), `subjectAltName=${names}\n`);
  writeFileSync(join(folder, "authority"), AUTHORITY);
  writeFileSync(join(folder, "index"), "");
  const signing = [
    "-batch",
    "-notext",
    "-config",
    "authority",
    "-cert",
    "ca.crt",
    "-keyfile",
    "ca.key",
    "-extfile",
    "names",
  ];
  const dates = ["-startdate", opensslDate(fromDays), "-enddate", opensslDate(untilDays)];
  run("ca", ...signing, ...dates, "-in", "server.csr", "-out", "server.crt");
  const [caPath, certPath, keyPath] = [join(folder, "ca.crt"), join(folder, "server.crt"), join(folder, "server.key")];
  return {
    folder,
    caPath,
    certPath,
    keyPath,
    ca: readFileSync(caPath),
    cert: readFileSync(certPath),
    key: readFileSync(keyPath),
  };
}

/** `20260131235959Z`, some days from now. */
function opensslDate(days: number): string {
  const at = new Date(Date.now() + days * 86_400_000);
  return `${at.toISOString().replaceAll(/[-:T]|\..*/g, "")}Z`;
}
