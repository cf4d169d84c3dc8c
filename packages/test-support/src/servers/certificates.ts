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

const NEW_KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"] as const;

function makeCertificates(): Certificates {
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
  writeFileSync(join(folder, "names"), "subjectAltName=DNS:localhost,IP:127.0.0.1\n");
  const signing = ["-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-extfile", "names"];
  run("x509", "-req", "-in", "server.csr", ...signing, "-out", "server.crt");
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
