import { defineConfig } from "tsup";

// One chunk a command, loaded when it is called: `--help` needs none of them.
export default defineConfig({
  entry: ["src/bin.ts"],
  format: ["esm"],
  target: "node20.19",
  splitting: true,
  sourcemap: true,
  clean: true,
});
