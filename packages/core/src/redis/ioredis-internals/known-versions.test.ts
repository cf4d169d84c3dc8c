import { createRequire } from "node:module";
import { expect, test } from "vitest";

/** The versions over which the suites have passed: what this folder relies on is known for them. */
const KNOWN_VERSIONS = ["5.11.1", "6.0.0"];

const versionOf = (name: string): string =>
  (createRequire(import.meta.url)(`${name}/package.json`) as { readonly version: string }).version;

test.each(["ioredis", "ioredis-v5"])("the installed %s is a version whose insides are known", (name) => {
  const version = versionOf(name);
  const problem = KNOWN_VERSIONS.includes(version)
    ? null
    : `ioredis ${version} is installed, and its insides are known for ${KNOWN_VERSIONS.join(" and ")} only. ` +
      'Run "npx vitest run packages/core" over it. When all of it passes, put the version into KNOWN_VERSIONS';
  expect(problem).toBeNull();
});

test("no version is called known that is not installed, and so not tested", () => {
  expect(["ioredis-v5", "ioredis"].map(versionOf)).toEqual(KNOWN_VERSIONS);
});
