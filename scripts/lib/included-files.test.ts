import { expect, it } from "vitest";
import { includeFiles } from "./included-files.ts";

const page = (...contents: string[]): string =>
  contents
    .map((content, index) => `Text.\n\n<!-- file: files/${index}.yaml -->\n\n\`\`\`yaml\n${content}\`\`\`\n`)
    .join("\n");

it("puts each file into its own fence, and leaves the rest alone", () => {
  const read = (path: string): string => `path: ${path}\n`;
  const fresh = page("path: files/0.yaml\n", "path: files/1.yaml\n");
  expect(includeFiles(page("", "old: true\nolder: true\n"), read)).toBe(fresh);
  expect(includeFiles(fresh, read)).toBe(fresh);
  const other = "```yaml\nmine: true\n```\n";
  expect(includeFiles(other, read)).toBe(other);
});

it("takes what has a meaning in replacements as it is", () => {
  expect(includeFiles(page("x\n"), () => "a: $& $1\n")).toBe(page("a: $& $1\n"));
});
