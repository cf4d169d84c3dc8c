/** Writes the Markdown of the site into a folder, from the files of the repository. */
import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { addressOf } from "../../scripts/lib/repository.ts";
import { anchorOf, escapeTemplates, exampleOf, rewriteLinks, sectionOf } from "./markdown.ts";
import { DECISIONS, EXAMPLES, FRONT, PAGES, type Page } from "./pages.ts";

/** Every page that is made from one file: those of the menu, the decisions and the examples. */
export function allPages(root: string): readonly Page[] {
  const decisions = readdirSync(join(root, DECISIONS.folder)).toSorted();
  return [
    ...PAGES,
    ...readdirSync(join(root, EXAMPLES.folder)).map((file) => {
      const source = `${EXAMPLES.folder}/${file}`;
      const { title } = exampleOf(readFileSync(join(root, source), "utf8"));
      return { route: `${EXAMPLES.route}/${file.replace(/\.ts$/, "")}`, title, source };
    }),
    ...decisions.map((file) => {
      const source = `${DECISIONS.folder}/${file}`;
      const title = /^# (.*)$/m.exec(readFileSync(join(root, source), "utf8"))?.[1] ?? file;
      return { route: `${DECISIONS.route}/${file.replace(/\.md$/, "")}`, title, source };
    }),
  ];
}

export function writePages(root: string, folder: string): void {
  const pages = allPages(root);
  for (const page of [FRONT, ...pages]) {
    const markdown = contentOf(page, readFileSync(join(root, page.source), "utf8"));
    const destinations = {
      link: (path: string, anchor: string) => addressFrom(page, path, anchor, pages),
      // Below the pages, so that the generator takes it along.
      picture: (path: string) => {
        const name = path.replaceAll("/", "-");
        mkdirSync(join(folder, "pictures"), { recursive: true });
        cpSync(join(root, path), join(folder, "pictures", name));
        return `${"../".repeat(page.route.split("/").length - 1)}pictures/${name}`;
      },
    };
    write(folder, page.route, escapeTemplates(rewriteLinks(markdown, page.source, destinations)));
  }
  write(folder, DECISIONS.route, decisionList(pages));
}

function contentOf({ title, sections, source }: Page, markdown: string): string {
  if (source.startsWith(`${EXAMPLES.folder}/`)) return examplePage(source, markdown);
  if (sections === undefined) return markdown;
  const parts = sections.map((heading) => sectionOf(markdown, heading));
  // One section is the page, under the page's title; several keep their headings.
  const content = parts.length === 1 ? parts.map((part) => part.replace(/^#+ .*\n/, "")) : parts;
  return `# ${title}\n\n${content.join("\n")}`;
}

function examplePage(source: string, text: string): string {
  const { title, about, code } = exampleOf(text);
  return `# ${title}

${about}

\`\`\`ts
${code}
\`\`\`

In the repository: \`${source}\`. The tests run it.${code.includes("./settings.ts") ? " Where Redis is says [settings.ts](settings.ts)." : ""}
[All recipes](../../docs/recipes.md).
`;
}

function addressFrom(from: Page, path: string, anchor: string, pages: readonly Page[]): string | null {
  const hash = anchor === "" ? "" : `#${anchor}`;
  if (path === from.source && from.sections === undefined) return hash;
  if (path === DECISIONS.folder) return `/${DECISIONS.route}`;
  if (path === "docs/README.md" || (path === "README.md" && anchor === "")) return "/";
  const ofFile = pages.filter(({ source }) => source === path);
  const found =
    ofFile.find(({ sections = [] }) => sections.some((heading) => anchorOf(heading) === anchor)) ??
    ofFile.find(({ sections }) => sections === undefined) ??
    ofFile[0];
  if (found === undefined) return addressOf(path);
  // A section that is a page of its own has its title in the place of the heading.
  const isPage = found.sections?.length === 1 && anchorOf(found.sections[0] ?? "") === anchor;
  return `/${found.route}${isPage ? "" : hash}`;
}

function decisionList(pages: readonly Page[]): string {
  const rows = pages
    .filter(({ source }) => source.startsWith(`${DECISIONS.folder}/`))
    .map(({ route, title }) => {
      const [number, name] = title.split(" · ");
      return `| ${number} | [${name}](/${route}) |`;
    });
  return `# Decisions

Each page says what was decided, which other ways there were, and why this one.

| number | decision |
|---|---|
${rows.join("\n")}
`;
}

function write(folder: string, route: string, markdown: string): void {
  const file = join(folder, `${route}.md`);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, markdown);
}
