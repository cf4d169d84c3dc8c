import { expect, it } from "vitest";
import { deadLinks, npmReadme } from "./npm-readme.ts";

const README = `# Name

![A picture](overview.png) [the guide](../../docs/guide.md#part), [here](#part), [out](https://example.org), [\`code\`](src/a.ts)

\`\`\`md
[a](b.md)
\`\`\`
`;

it("says without an address what a link is about", () => {
  const text = npmReadme(README, "packages/x/README.md", () => null);
  expect(text).toContain("*A picture* the guide, [here](#part), [out](https://example.org), `code`\n");
  expect(text).toContain("[a](b.md)");
  expect(deadLinks(text)).toEqual([]);
});

it("leads to the repository, once that has an address", () => {
  const text = npmReadme(README, "packages/x/README.md", (path) => `https://git.example/blob/main/${path}`);
  expect(text).toContain("![A picture](https://git.example/blob/main/packages/x/overview.png)");
  expect(text).toContain("[the guide](https://git.example/blob/main/docs/guide.md#part), [here](#part)");
});

it("finds what would be dead", () => {
  expect(deadLinks(README)).toEqual(["overview.png", "../../docs/guide.md#part", "src/a.ts"]);
});
