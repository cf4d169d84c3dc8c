/** Serves the page's own files. */
import { gunzipSync } from "node:zlib";
import type { Context } from "hono";

const TYPES: Readonly<Record<string, string>> = {
  html: "text/html; charset=utf-8",
  js: "text/javascript; charset=utf-8",
  css: "text/css; charset=utf-8",
  svg: "image/svg+xml",
  md: "text/plain; charset=utf-8",
};

/** @param read the files, each compressed; called with the first request */
export function createPage(
  read: () => ReadonlyMap<string, Buffer>,
  prefix: string,
): (c: Context) => Response | Promise<Response> {
  let files: ReadonlyMap<string, Buffer> | undefined;
  return (c) => {
    files ??= read();
    const { pathname } = new URL(c.req.url);
    // Without the slash, the addresses in the page would lead to the application around it.
    if (prefix !== "" && pathname === prefix) return c.redirect(`${prefix}/`, 302);
    const name = c.req.path === "/" ? "index.html" : c.req.path.slice(1);
    const file = files.get(name);
    if (file === undefined) return c.notFound();
    const isZipped = /\bgzip\b/.test(c.req.header("accept-encoding") ?? "");
    const body = isZipped ? file : gunzipSync(file);
    return c.body(new Uint8Array(body), 200, {
      "content-type": TYPES[name.split(".").at(-1) ?? ""] ?? "application/octet-stream",
      // The names of scripts and styles change with their contents.
      "cache-control": name === "index.html" ? "no-cache" : "private, max-age=31536000, immutable",
      vary: "accept-encoding",
      ...(isZipped ? { "content-encoding": "gzip" } : {}),
    });
  };
}
