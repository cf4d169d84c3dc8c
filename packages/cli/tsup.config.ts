import { defineConfig } from "tsup";

// One chunk a command, loaded when it is called: `--help` needs none of them.
export default defineConfig({
  entry: ["src/bin.ts"],
  format: ["esm"],
  target: "node20.19",
  splitting: true,
  // The options of the services as data: taken in, so that a help text loads none of the services.
  noExternal: [/^@redis-batch\/[a-z]+\/spec$/],
  esbuildOptions: (options) => {
    options.conditions = ["@redis-batch/source"];
  },
  sourcemap: true,
  clean: true,
});
