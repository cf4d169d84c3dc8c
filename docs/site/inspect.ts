/** Looks at the built site: every link leads somewhere, every page is reached, and nothing comes from elsewhere. Pure but for reading. */
import { readdirSync, readFileSync } from "node:fs";
import { join, posix } from "node:path";
import { type MachineText, machineProblems } from "../../scripts/lib/file-rules.ts";

/** The files of a site, by their path below it. */
export type SiteFiles = ReadonlyMap<string, string>;

/** How many clicks from the front page a page may be. */
const MAX_STEPS = 3;

export function readSite(folder: string): SiteFiles {
  return new Map(
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => {
        const path = join(entry.parentPath, entry.name);
        return [path.slice(folder.length + 1), readFileSync(path, "utf8")];
      }),
  );
}

interface PageLinks {
  readonly ids: ReadonlySet<string>;
  readonly links: readonly string[];
  /** What the browser loads by itself. */
  readonly loads: readonly string[];
}

/** All that is wrong with a site, a line each. */
export function siteProblems(files: SiteFiles, machine: readonly MachineText[] = [], base = "/"): string[] {
  const pages = new Map(
    [...files].filter(([path]) => path.endsWith(".html")).map(([path, html]) => [path, parsePage(html)]),
  );
  return [
    ...[...pages].flatMap(([path, page]) => linkProblems(path, page, pages, files, base)),
    ...reachProblems(pages, base),
    ...[...files].flatMap(([path, content]) => [
      ...machineProblems(path, content, machine),
      ...(path.endsWith(".css")
        ? elsewhere(
            path,
            [...content.matchAll(/url\(["']?([^"')]+)/g)].map(([, url = ""]) => url),
          )
        : []),
    ]),
  ];
}

function parsePage(html: string): PageLinks {
  const all = (pattern: RegExp): string[] => [...html.matchAll(pattern)].map(([, value = ""]) => decode(value));
  return {
    ids: new Set([...all(/<[^<>]*?\sid="([^"]*)"/g), ...all(/<a[^<>]*?\sname="([^"]*)"/g)]),
    links: all(/<a\b[^<>]*?\shref="([^"]*)"/g),
    loads: [
      ...all(/<(?:script|img|source|iframe)\b[^<>]*?\ssrc="([^"]*)"/g),
      ...all(/<link\b[^<>]*?\shref="([^"]*)"/g),
    ],
  };
}

function linkProblems(
  path: string,
  page: PageLinks,
  pages: ReadonlyMap<string, PageLinks>,
  files: SiteFiles,
  base: string,
): string[] {
  const dead = [...page.links, ...page.loads].filter(isOfSite).flatMap((link) => {
    const { file, anchor } = targetOf(path, link, base);
    if (!files.has(file)) return [`${path}: ${link} leads nowhere`];
    const isMissing = anchor !== "" && pages.get(file)?.ids.has(anchor) === false;
    return isMissing ? [`${path}: ${link} names no heading of ${file}`] : [];
  });
  return [...new Set(dead), ...elsewhere(path, page.loads)];
}

const isOfSite = (link: string): boolean => !/^(?:[a-z][a-z+.-]*:|\/\/)/i.test(link);

function elsewhere(path: string, urls: readonly string[]): string[] {
  return urls
    .filter((url) => !isOfSite(url) && !url.startsWith("data:"))
    .map((url) => `${path}: loads ${url} from elsewhere`);
}

/** The file that a link of a page leads to. */
function targetOf(path: string, link: string, base: string): { file: string; anchor: string } {
  const [address = "", anchor = ""] = link.split("#");
  const [target = ""] = address.split("?");
  const below = target.startsWith(base) ? target.slice(base.length) : posix.join(posix.dirname(path), target);
  const file = target === "" ? path : below;
  const whole = file === "" || file.endsWith("/") || file === "." ? posix.join(file, "index.html") : file;
  return { file: decodeURIComponent(whole), anchor: decodeURIComponent(anchor) };
}

function reachProblems(pages: ReadonlyMap<string, PageLinks>, base: string): string[] {
  const steps = new Map([["index.html", 0]]);
  for (const [path, step] of steps) {
    for (const link of (pages.get(path)?.links ?? []).filter(isOfSite)) {
      const { file } = targetOf(path, link, base);
      if (pages.has(file) && !steps.has(file)) steps.set(file, step + 1);
    }
  }
  return [...pages.keys()]
    .filter((path) => path !== "404.html" && (steps.get(path) ?? Number.POSITIVE_INFINITY) > MAX_STEPS)
    .map(
      (path) => `${path}: ${steps.get(path) ?? "no number of"} steps from the front page; ${MAX_STEPS} are the most`,
    );
}

function decode(text: string): string {
  return text
    .replaceAll("&amp;", "&")
    .replaceAll("&quot;", '"')
    .replaceAll("&#39;", "'")
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">");
}
