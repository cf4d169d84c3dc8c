import { defineConfig } from "tsup";

// JavaScript by esbuild; the declarations come from tsc (tsup's own need the TypeScript 6 API).
export default defineConfig({
  entry: ["src/index.ts", "src/keda.ts", "src/kubernetes.ts", "src/simulate.ts"],
  format: ["esm"],
  target: "node20.19",
  sourcemap: true,
  clean: true,
});
