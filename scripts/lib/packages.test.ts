import { createRequire } from "node:module";
import { join } from "node:path";
import { expect, test } from "vitest";
import { publishedPackages } from "./packages.ts";
import { ROOT } from "./root.mjs";

test.each(publishedPackages(ROOT))(
  "of $manifest.name nothing can be imported but what it exports",
  ({ folder, manifest }) => {
    const { resolve } = createRequire(join(folder, "package.json"));
    expect(resolve(`${manifest.name}/package.json`)).toBe(join(folder, "package.json"));
    for (const deep of ["README.md", "dist/index.js", "src/main.ts", "bin/redis-batch.js"]) {
      const refusal = expect.objectContaining({ code: "ERR_PACKAGE_PATH_NOT_EXPORTED" }) as Error;
      expect(() => resolve(`${manifest.name}/${deep}`)).toThrow(refusal);
    }
  },
);
