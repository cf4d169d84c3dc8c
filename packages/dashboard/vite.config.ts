import { defineConfig } from "vite";

// The page: plain files with relative addresses, so that it works under any prefix. Nothing is inlined, because the page's
// content security policy refuses what is.
export default defineConfig({
  root: "ui",
  base: "./",
  publicDir: false,
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  build: {
    outDir: "../.cache/page",
    emptyOutDir: true,
    target: "es2022",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    // What is taken in from others asks for that.
    license: { fileName: "licenses.md" },
  },
});
