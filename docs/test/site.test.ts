/** The documentation site, built as `npm run docs` does it: what it consists of, and how it looks in a browser. */
import { execFile } from "node:child_process";
import { globSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { LocalWebServer } from "@redis-batch/test-support";
import { type OpenPage, useBrowser } from "@redis-batch/test-support/browser";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readSite, siteProblems } from "../site/inspect.ts";
import { PAGES } from "../site/pages.ts";
import { publicDoors } from "../site/write-reference.ts";
import { serveSite } from "./serve-site.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const built = `${root}docs/dist`;
// A desk, a tablet, a telephone.
const WIDTHS = [1440, 768, 390];

const browser = useBrowser();
let site: LocalWebServer;

beforeAll(async () => {
  // Ends with an error if a link leads nowhere, a page is too far from the front page, or the machine is named.
  await promisify(execFile)(process.execPath, [`${root}docs/site/build.ts`]);
  site = await serveSite(built);
});
afterAll(() => site?.[Symbol.asyncDispose]());

/** The pages as a server gives them, without what there is of each by number. */
function pagesOfSite(): string[] {
  return globSync("**/*.html", { cwd: built }).filter((path) => path !== "404.html");
}

describe("the site", () => {
  it("has a page for each guide: none is left out", () => {
    const sources = new Set(PAGES.map(({ source }) => source));
    const guides = globSync(["docs/*.md", "{packages,apps}/*/README.md", "{benchmarks,chaos,examples}/README.md"], {
      cwd: root,
    });
    // Its pages are the menu.
    expect(guides.filter((guide) => guide !== "docs/README.md" && !sources.has(guide))).toEqual([]);
  });

  it.each(publicDoors(root).map((door) => [door.name, door] as const))(
    "explains every public name of %s",
    (name, { report }) => {
      const names = [
        ...readFileSync(`${root}${report}`, "utf8").matchAll(
          /^export (?:declare |abstract )*(?:class|function|const|let|type|interface) (\w+)/gm,
        ),
      ];
      const listed = [...readFileSync(`${root}${report}`, "utf8").matchAll(/^export \{ (\w+)/gm)];
      const page = readFileSync(`${built}/reference/${name}.html`, "utf8");
      const headings = new Set(
        [...page.matchAll(/<h3 id="[^"]*"[^>]*>(?:<[^>]+>|abstract\b|\s)*(\w+)/g)].map(([, heading]) => heading),
      );
      const all = [...names, ...listed].map(([, each]) => each);
      expect(all.length).toBeGreaterThan(0);
      expect(all.filter((each) => !headings.has(each))).toEqual([]);
    },
  );

  it("finds what is wrong with a site", () => {
    const files = new Map(readSite(built));
    const page = files.get("start/why.html") ?? "";
    const broken = `<a href="/nowhere.html">x</a><a href="#no-heading">x</a><img src="https://example.org/pixel.gif">/srv/of/mine/x`;
    files.set("start/why.html", page.replace("</main>", `${broken}</main>`));
    files.set("start/lonely.html", "<p>Nobody leads here.</p>");
    const own = siteProblems(files, [{ what: "a folder", text: /\/srv\/of\/mine/ }]).filter(
      (line) => !line.includes("/assets/"),
    );
    expect(own).toEqual([
      "start/why.html: /nowhere.html leads nowhere",
      "start/why.html: #no-heading names no heading of start/why.html",
      "start/why.html: loads https://example.org/pixel.gif from elsewhere",
      "start/lonely.html: no number of steps from the front page; 3 are the most",
      expect.stringMatching(/^start\/why\.html:\d+: names a folder/),
    ]);
  });
});

describe("in a browser", () => {
  // In parts, because there are a hundred pages, and a busy machine takes its time for each.
  it.each([
    ["decisions", (path: string) => path.startsWith("decisions/")],
    ["the guides", (path: string) => !/^(?:decisions|reference)\//.test(path)],
    ["the reference", (path: string) => path.startsWith("reference/")],
  ])("no page of %s scrolls sideways, cuts anything off or complains, at any width", async (_, isPart) => {
    const { page, complaints } = await browser.open(`${site.url}/`);
    const wrong: unknown[] = [];
    const paths = pagesOfSite().filter(isPart);
    expect(paths.length).toBeGreaterThan(8);
    for (const path of paths) {
      await page.goto(`${site.url}/${path}`);
      for (const width of WIDTHS) {
        await page.setViewportSize({ width, height: 900 });
        const found = await page.evaluate(lookAtLayout);
        if (found.length > 0) wrong.push({ path, width, found });
      }
    }
    expect({ wrong, complaints }).toEqual({ wrong: [], complaints: [] });
    await page.close();
  });

  it.each(WIDTHS)("at a width of %d search finds dead letters", async (width) => {
    const { page, complaints } = await browser.open(`${site.url}/`, { viewport: { width, height: 900 } });
    await page.getByRole("button", { name: "Search" }).first().click();
    await page.locator("#localsearch-input").fill("dead letter");
    const results = page.locator("#localsearch-list a");
    await results.first().waitFor();
    expect(await results.count()).toBeGreaterThan(5);
    expect(await results.first().textContent()).toMatch(/dead.letter/i);
    await results.first().click();
    await page.waitForURL(/\.html#/);
    expect(complaints).toEqual([]);
    await page.close();
  });

  it.each(["light", "dark"] as const)("pictures follow the reader's choice of %s", async (colorScheme) => {
    const { page } = await browser.open(`${site.url}/start/concepts.html`, { colorScheme });
    const other = colorScheme === "dark" ? "light" : "dark";
    expect(await schemes(page)).toEqual({ html: colorScheme, pictures: 5 });
    await page.locator(".VPSwitchAppearance").first().click();
    expect(await schemes(page)).toEqual({ html: other, pictures: 5 });
    await page.close();
  });
});

/** What the page says of its colours, and how many pictures were drawn. */
function schemes(page: OpenPage["page"]): Promise<{ html: string; pictures: number }> {
  return page.evaluate(() => ({
    html: getComputedStyle(document.documentElement).colorScheme === "dark" ? "dark" : "light",
    pictures: [...document.querySelectorAll<HTMLImageElement>(".vp-doc img")].filter((each) => each.naturalWidth > 0)
      .length,
  }));
}

/** In the page: what is wider than the window and in no box that scrolls, and pictures that were not loaded. */
function lookAtLayout(): string[] {
  const found: string[] = [];
  const { scrollWidth, clientWidth } = document.documentElement;
  if (scrollWidth > clientWidth) found.push(`the page is ${scrollWidth} wide in a window of ${clientWidth}`);
  for (const element of document.querySelectorAll<HTMLElement>(".VPContent *")) {
    const { right, width } = element.getBoundingClientRect();
    if (width === 0 || right <= clientWidth + 1) continue;
    let box: HTMLElement | null = element;
    while (box !== null && !/auto|scroll/.test(getComputedStyle(box).overflowX)) box = box.parentElement;
    if (box === null || box === document.documentElement || box === document.body)
      found.push(`${element.tagName} ${element.textContent?.slice(0, 40)}`);
  }
  for (const picture of document.querySelectorAll<HTMLImageElement>(".VPContent img")) {
    if (picture.complete && picture.naturalWidth === 0) found.push(`${picture.src} is not there`);
  }
  return found;
}
