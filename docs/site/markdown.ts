/** Markdown of the repository → Markdown of the site. Pure. */
import { posix } from "node:path";

const FENCE = /^(?<indent> *)(?<fence>`{3,})[^]*?^\k<indent>\k<fence>[ \t]*$/gm;
const INLINE = /(?<ticks>`+)(?!`)(?:[^\n]|\n(?!\n))*?(?<!`)\k<ticks>(?!`)/g;

/** Applies a change to the parts of a text that a pattern does not match. */
function outside(pattern: RegExp, text: string, change: (part: string) => string): string {
  let written = "";
  let at = 0;
  for (const { 0: found, index } of text.matchAll(pattern)) {
    written += change(text.slice(at, index)) + found;
    at = index + found.length;
  }
  return written + change(text.slice(at));
}

/** The section below a heading, with the heading. @throws {Error} when there is none */
export function sectionOf(markdown: string, heading: string): string {
  const lines = markdown.split("\n");
  const start = lines.findIndex((line) => /^#+ /.test(line) && line.replace(/^#+ /, "") === heading);
  if (start < 0) throw new Error(`no section is called ${heading}`);
  const level = lines[start]?.match(/^#+/)?.[0].length ?? 0;
  const next = new RegExp(`^#{1,${level}} `);
  let isCode = false;
  const length = lines.slice(start + 1).findIndex((line) => {
    if (line.startsWith("```")) isCode = !isCode;
    return !isCode && next.test(line);
  });
  const section = lines.slice(start, length < 0 ? undefined : start + 1 + length);
  return `${section.join("\n").trimEnd()}\n`;
}

/** A program to copy: the comment at its top is its title, and what is said of it. */
export interface ProgramText {
  readonly title: string;
  readonly about: string;
  readonly code: string;
}

/** @throws {Error} when no comment stands at the top */
export function exampleOf(text: string): ProgramText {
  const [comment, inside = ""] = /^\/\*\*(.*?)\*\/\n/s.exec(text) ?? [];
  if (comment === undefined) throw new Error(`no comment stands at the top of: ${text.slice(0, 60)}`);
  const [title = "", ...about] = inside
    .split("\n")
    .map((line) => line.replace(/^ \* ?/, "").trim())
    .join("\n")
    .trim()
    .split("\n");
  return { title, about: about.join("\n").trim(), code: text.slice(comment.length).trim() };
}

/** Where the files go that a page leads to. */
export interface Destinations {
  /** The address of a file of the repository, or `null`: then the text of the link stays, without a link. */
  readonly link: (path: string, anchor: string) => string | null;
  /** The address of a picture. */
  readonly picture: (path: string) => string;
}

/**
 * Rewrites the links and pictures of a page that lead to other files.
 *
 * @param source the page's own path in the repository, from which its links are relative
 */
export function rewriteLinks(markdown: string, source: string, { link, picture }: Destinations): string {
  // The text of a link may have code in it, so only fences are left alone.
  return outside(FENCE, markdown, (text) =>
    text.replaceAll(
      /(!?)\[((?:[^[\]`]|`[^`]*`)*)\]\((?![a-z]+:|\/)([^()\s]+)\)/g,
      (_, mark: string, label: string, target: string) => {
        const [path = "", anchor = ""] = target.split("#");
        const file = path === "" ? source : posix.join(posix.dirname(source), path).replace(/\/$/, "");
        if (mark === "!") return `![${label}](${picture(file)})`;
        const address = link(file, anchor);
        return address === null ? label : `[${label}](${address})`;
      },
    ),
  );
}

/** Two braces begin an expression of the site's generator, except in code: in text they are characters. */
export function escapeTemplates(markdown: string): string {
  return outside(FENCE, markdown, (text) => outside(INLINE, text, (part) => part.replaceAll("{{", "&#123;&#123;")));
}

/** The anchor of a heading, as GitHub makes it: the links of the repository's pages are made for that. */
export function anchorOf(heading: string): string {
  return heading
    .trim()
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\p{M}_ -]/gu, "")
    .replaceAll(" ", "-");
}

/** The anchors of a page's headings, in order: one that is there already gets a number. */
export function anchorsOf(markdown: string): string[] {
  const anchors = new Set<string>();
  for (const [, heading = ""] of outsideFences(markdown).matchAll(/^#+ (.*)$/gm)) {
    const anchor = anchorOf(heading.replaceAll("\\", ""));
    let unique = anchor;
    for (let number = 1; anchors.has(unique); number++) unique = `${anchor}-${number}`;
    anchors.add(unique);
  }
  return [...anchors];
}

function outsideFences(markdown: string): string {
  return markdown.replaceAll(FENCE, "");
}

/**
 * The links of generated pages whose number is too high lead to the last heading of that name. (The generator of the
 * reference counts names that get no heading.)
 *
 * @param pages by the name of the file, as links have it
 */
export function fixAnchors(pages: ReadonlyMap<string, string>): Map<string, string> {
  const anchors = new Map([...pages].map(([file, markdown]) => [file, anchorsOf(markdown)]));
  return new Map(
    [...pages].map(([file, markdown]) => [
      file,
      markdown.replaceAll(
        /\]\(([\w./@-]*)#([\w-]+?)-(\d+)\)/g,
        (whole, target: string, name: string, number: string) => {
          const there = anchors.get(target === "" ? file : posix.join(posix.dirname(file), target)) ?? [];
          if (there.includes(`${name}-${number}`)) return whole;
          const last = there.filter((anchor) => anchor === name || new RegExp(`^${name}-\\d+$`).test(anchor)).at(-1);
          return last === undefined ? whole : `](${target}#${last})`;
        },
      ),
    ]),
  );
}
