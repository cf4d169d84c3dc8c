import { describe, expect, it } from "vitest";
import { anchorOf, anchorsOf, escapeTemplates, exampleOf, fixAnchors, rewriteLinks, sectionOf } from "./markdown.ts";

describe("rewriteLinks", () => {
  const destinations = {
    link: (path: string, anchor: string) => (path.endsWith(".ts") ? null : `/to/${path}${anchor && `#${anchor}`}`),
    picture: (path: string) => `pictures/${path}`,
  };
  const rewrite = (text: string): string => rewriteLinks(text, "packages/consumer/README.md", destinations);

  it("finds the file that a link means, from the page's own place", () => {
    expect(rewrite("[why](../../docs/why.md#not) and [`run`](#run)")).toBe(
      "[why](/to/docs/why.md#not) and [`run`](/to/packages/consumer/README.md#run)",
    );
    expect(rewrite("[decisions](../../docs/adr/)")).toBe("[decisions](/to/docs/adr)");
    expect(rewrite("![a chart](chart.svg)")).toBe("![a chart](pictures/packages/consumer/chart.svg)");
  });

  it("leaves the text of a link that leads nowhere on the site", () => {
    expect(rewrite("see [the `test`](test/a.test.ts)")).toBe("see the `test`");
  });

  it("leaves code, and addresses elsewhere", () => {
    const text = "```md\n[a](b.md)\n```\n[c](https://example.org) [d](mailto:a@example.org) [e](/f)";
    expect(rewrite(text)).toBe(text);
  });
});

it("sectionOf ends at the next heading of its level, and not at a comment in code", () => {
  const page = "# Page\n\n## One\n\n```sh\n# a comment\n```\n\n### Deeper\n\ntext\n\n## Two\n";
  expect(sectionOf(page, "One")).toBe("## One\n\n```sh\n# a comment\n```\n\n### Deeper\n\ntext\n");
  expect(sectionOf(page, "Deeper")).toBe("### Deeper\n\ntext\n");
  expect(() => sectionOf(page, "Three")).toThrow("no section is called Three");
});

it("exampleOf takes the comment at the top for the title and what is said", () => {
  expect(exampleOf("/**\n * A title\n *\n * One line.\n * Another.\n */\nimport x;\n")).toEqual({
    title: "A title",
    about: "One line.\nAnother.",
    code: "import x;",
  });
  expect(exampleOf("/** A title */\nlet a;\n").title).toBe("A title");
  expect(() => exampleOf("let a;")).toThrow("no comment");
});

it("escapeTemplates leaves code", () => {
  expect(escapeTemplates("{{ a }} `{{ b }}`\n```\n{{ c }}\n```\n")).toBe(
    "&#123;&#123; a }} `{{ b }}`\n```\n{{ c }}\n```\n",
  );
});

it("anchorOf is GitHub's", () => {
  expect(anchorOf("10. The server's time: `XADD`, and_so on")).toBe("10-the-servers-time-xadd-and_so-on");
  expect(anchorsOf("# A\n## B\n## B\n```\n# C\n```\n")).toEqual(["a", "b", "b-1"]);
});

it("fixAnchors leads to the last heading of a name, if the number is too high", () => {
  const pages = new Map([
    ["a.md", "# Run\n# Run\n[x](#run-1) [y](#run-7) [z](b/c.md#go-2)"],
    ["b/c.md", "# Go\n[back](../a.md#run-3) [gone](#nothing-1)"],
  ]);
  expect(Object.fromEntries(fixAnchors(pages))).toEqual({
    "a.md": "# Run\n# Run\n[x](#run-1) [y](#run-1) [z](b/c.md#go)",
    "b/c.md": "# Go\n[back](../a.md#run-1) [gone](#nothing-1)",
  });
});
