import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

const folder = fileURLToPath(new URL("../adr/", import.meta.url));

it("each decision has a number of its own, the one that its heading has", () => {
  const numbers = readdirSync(folder).map((file) => file.slice(0, 4));
  const headings = readdirSync(folder).map((file) => readFileSync(`${folder}${file}`, "utf8").slice(0, 9));
  expect(headings).toEqual(numbers.map((number) => `# ${number} · `));
  expect(new Set(numbers).size).toBe(numbers.length);
});
