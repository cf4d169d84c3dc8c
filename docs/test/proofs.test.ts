/** What the guides name as their proof exists: each file by its full path, and each test whose name is quoted behind it. */
import { globSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));
const tests = globSync("{packages,apps,chaos,docs,scripts}/**/*.{test,conformance}.ts", {
  cwd: root,
  exclude: (path) => path === "node_modules",
});

interface Proof {
  readonly file: string;
  /** Parts of a test's name, in their order; what is left out between them, or replaced, can be anything. */
  readonly name: readonly string[];
}

/** Each file that is named, and each quoted name with the file before it. */
function proofsIn(markdown: string): Proof[] {
  const proofs: Proof[] = [];
  let file = "";
  for (const [, path, quoted] of markdown.matchAll(/`([\w./-]+\.(?:test|conformance)\.ts)`|"([^"]+)"/g)) {
    if (path !== undefined) file = path;
    const name = quoted?.split(/\s*…\s*/).map((part) => part.replaceAll(/\s+/g, " "));
    proofs.push({ file, name: name ?? [] });
  }
  return proofs;
}

function isThere({ file, name }: Proof): boolean {
  if (!tests.includes(file)) return false;
  const text = readFileSync(`${root}${file}`, "utf8");
  return name.every((part) => text.includes(part));
}

it.each([
  // The paragraphs that begin so.
  { page: "docs/guarantees.md", where: /^Proven by: (.*?)\n\n/gms, least: 80 },
  // The last cell of each row.
  { page: "docs/errors.md", where: /\|([^|\n]*\.test\.ts[^|\n]*)\|$/gm, least: 12 },
])("every test that $page names is there", ({ page, where, least }) => {
  const texts = readFileSync(`${root}${page}`, "utf8").matchAll(where);
  const proofs = [...texts].flatMap(([, text = ""]) => proofsIn(text));
  expect(proofs.length).toBeGreaterThanOrEqual(least);
  expect(proofs.filter((proof) => !isThere(proof))).toEqual([]);
});
