/** What releases: the workflow names only what there is. It runs elsewhere, so nothing else here would notice. */
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { parse } from "yaml";

const root = fileURLToPath(new URL("../../", import.meta.url));

interface Job {
  readonly needs?: string;
  readonly permissions?: Readonly<Record<string, string>>;
  readonly steps: readonly { readonly run?: string }[];
}

it("the release workflow tests first, runs what there is, and has a token for signing only", () => {
  const text = readFileSync(`${root}.github/workflows/release.yml`, "utf8");
  const { jobs } = parse(text) as { readonly jobs: Readonly<Record<string, Job>> };
  const { scripts } = JSON.parse(readFileSync(`${root}package.json`, "utf8")) as { scripts: Record<string, string> };
  const commands = Object.values(jobs).flatMap(({ steps }) => steps.flatMap(({ run }) => run ?? []));
  const missing = commands.filter((command) => {
    const script = /^npm run (\w+)/.exec(command)?.[1];
    return script === undefined ? !existsSync(`${root}${command}`) : !(script in scripts);
  });
  expect({ commands: commands.length, missing }).toEqual({ commands: 2, missing: [] });
  expect(jobs["release"]?.needs).toBe("test");
  expect(jobs["release"]?.permissions).toMatchObject({ contents: "read", "id-token": "write" });
  // Published by trust: nobody has to keep a secret.
  expect(text).not.toMatch(/secrets\.|NODE_AUTH_TOKEN/);
});
