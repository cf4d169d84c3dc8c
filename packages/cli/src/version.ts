import { readFileSync } from "node:fs";

/** The version of this package. */
export function readVersion(): string {
  // One level up in the sources as in dist/.
  const manifest: unknown = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
  return (manifest as { readonly version: string }).version;
}
