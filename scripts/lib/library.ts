import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, posix } from "node:path";
import type { Plugin } from "esbuild";
import { defineConfig } from "tsup";
import { toCommonJs, toDoor } from "./common-js.ts";

/**
 * How a library is built, after docs/adr/0002-one-copy.md. JavaScript by esbuild; the declarations come from tsc (tsup's
 * own need the TypeScript 6 API), into the same folder.
 *
 *     dist/esm/index.mjs   for bundlers
 *     dist/index.js        the same as CommonJS: what runs in Node, however it was loaded
 *     dist/index.mjs       its names for import
 *
 * @param entries by their paths in `src/`, without the extension: "index", "internal/names"
 * @param plugins what else esbuild has to do
 */
export const library = (entries: readonly string[], plugins: Plugin[] = []): ReturnType<typeof defineConfig> =>
  defineConfig({
    esbuildPlugins: plugins,
    entry: Object.fromEntries(entries.map((name) => [`esm/${name}`, `src/${name}.ts`])),
    format: "esm",
    target: "node20.19",
    outExtension: () => ({ js: ".mjs" }),
    esbuildOptions: (options) => {
      options.chunkNames = "esm/[name]-[hash]";
    },
    removeNodeProtocol: false,
    sourcemap: true,
    clean: true,
    onSuccess: async () => writeCommonJs("dist", entries),
  });

function writeCommonJs(dist: string, entries: readonly string[]): void {
  const modules = readdirSync(join(dist, "esm"), { recursive: true, encoding: "utf8" });
  for (const file of modules.filter((path) => path.endsWith(".mjs"))) {
    const name = file.replaceAll("\\", "/").slice(0, -".mjs".length);
    const [folder, own] = [posix.dirname(name), posix.basename(name)];
    const code = readFileSync(join(dist, "esm", file), "utf8");
    mkdirSync(join(dist, folder), { recursive: true });
    writeFileSync(join(dist, `${name}.js`), toCommonJs(code, posix.join(posix.relative(folder, "."), "esm", folder)));
    if (!entries.includes(name)) continue;
    writeFileSync(join(dist, `${name}.mjs`), toDoor(code, `./${own}.js`));
    writeFileSync(join(dist, `${name}.d.mts`), `export * from "./${own}.js";\n`);
  }
  writeFileSync(join(dist, "package.json"), JSON.stringify({ type: "commonjs", sideEffects: false }));
}
