import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";

// Node takes them for require() as well: "import" among them would hand ES modules to CommonJS packages.
const conditions = ["@redis-batch/source", "node"];
const resolution = { resolve: { conditions }, ssr: { resolve: { conditions } } };

export default defineConfig({
  test: {
    // Most of an integration test is waiting, for servers and other processes; more at once than this starve each other.
    maxWorkers: Math.max(availableParallelism(), 3),
    // Reached by what hangs, and by nothing else, however busy the machine is: each wait in a test has its own, fair bound.
    testTimeout: 300_000,
    hookTimeout: 300_000,
    projects: [
      {
        extends: true,
        ...resolution,
        test: {
          name: "unit",
          include: [
            "{packages,apps}/*/src/**/*.test.ts",
            "{benchmarks,chaos}/src/**/*.test.ts",
            "{scripts,docs/scaling,docs/site}/**/*.test.ts",
          ],
        },
      },
      {
        extends: true,
        ...resolution,
        test: {
          name: "integration",
          include: ["{packages,apps}/*/test/**/*.test.ts", "{chaos,docs,examples}/test/**/*.test.ts"],
        },
      },
    ],
  },
});
