/** Serves a folder of files on this machine, like every other web server. */
import { existsSync, readFileSync, statSync } from "node:fs";
import { extname, join } from "node:path";
import { type LocalWebServer, serveLocally } from "@redis-batch/test-support";

const TYPES: Readonly<Record<string, string>> = {
  ...{ ".html": "text/html", ".js": "text/javascript", ".css": "text/css" },
  ...{ ".svg": "image/svg+xml", ".png": "image/png", ".json": "application/json" },
};

export function serveSite(folder: string): Promise<LocalWebServer> {
  return serveLocally(({ url = "/" }, response) => {
    const path = decodeURIComponent(new URL(url, "http://localhost").pathname);
    const file = join(folder, path.endsWith("/") ? `${path}index.html` : path);
    if (existsSync(file) && statSync(file).isFile()) {
      response.writeHead(200, { "content-type": TYPES[extname(file)] ?? "application/octet-stream" });
      response.end(readFileSync(file));
    } else {
      response.writeHead(404).end();
    }
  });
}
