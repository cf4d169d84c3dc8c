import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { basename } from "node:path";
import type { Manifest } from "./packages.ts";

const SCOPE = "@redis-batch";

/**
 * Packed packages, as a registry has them: npm asks for a package by its name and gets its one version, with what that
 * depends on. Only they are here; the rest is left to the registry that is configured.
 */
export class PackedRegistry implements AsyncDisposable {
  /** The environment in which npm and npx find the packages here. */
  readonly env: Readonly<Record<string, string>>;
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
    this.env = { [`npm_config_${SCOPE}:registry`]: addressOf(server) };
  }

  static async start(tarballs: readonly string[]): Promise<PackedRegistry> {
    const content = new Map(tarballs.map((tarball) => [`/${basename(tarball)}`, tarball]));
    const manifests = new Map(tarballs.map((tarball) => [`/${manifestIn(tarball).name}`, tarball]));
    const server = createServer((request, response) => {
      // A scope's name comes with its slash encoded.
      const path = (request.url ?? "").replace(/%2f/i, "/");
      const wanted = content.get(path);
      const described = manifests.get(path);
      if (wanted !== undefined) response.end(readFileSync(wanted));
      else if (described !== undefined) response.end(JSON.stringify(describe(described, addressOf(server))));
      else response.writeHead(404).end("{}");
    });
    await once(server.listen(0, "127.0.0.1"), "listening");
    return new PackedRegistry(server);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, "close");
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }
}

/** What a registry says of a package. */
function describe(tarball: string, address: string): object {
  const manifest = manifestIn(tarball);
  const integrity = `sha512-${createHash("sha512").update(readFileSync(tarball)).digest("base64")}`;
  const dist = { tarball: `${address}/${basename(tarball)}`, integrity };
  return {
    name: manifest.name,
    "dist-tags": { latest: manifest.version },
    versions: { [manifest.version]: { ...manifest, dist } },
  };
}

function manifestIn(tarball: string): Manifest {
  const { status, stdout, stderr } = spawnSync("tar", ["-xOzf", tarball, "package/package.json"], { encoding: "utf8" });
  if (status !== 0) throw new Error(`${tarball} holds no package.json: ${stderr}`);
  return JSON.parse(stdout) as Manifest;
}

function addressOf(server: Server): string {
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
