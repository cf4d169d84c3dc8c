/** Puts the built page into the package: as text in a module, so that it is there in a bundle as well, and in CommonJS. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import type { Plugin } from "esbuild";

/** Replaces `src/page/files.ts`, which reads the page's folder, by the files themselves. */
export const embedPage = (folder: string): Plugin => ({
  name: "embed-page",
  setup(build) {
    build.onLoad({ filter: /[\\/]page[\\/]files\.ts$/ }, () => {
      const names = readdirSync(folder, { recursive: true, encoding: "utf8", withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name));
      const files = names.map((path) => [
        path.slice(folder.length).replaceAll("\\", "/").replace(/^\//, ""),
        gzipSync(readFileSync(path), { level: 9 }).toString("base64"),
      ]);
      const contents = `export const pageFiles = () => new Map(${JSON.stringify(files)}.map(([name, text]) => [name, Buffer.from(text, "base64")]));`;
      return { contents, loader: "js" };
    });
  },
});
