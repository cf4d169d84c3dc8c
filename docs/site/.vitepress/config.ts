/** The site's generator: menus from `pages.ts`, search on the reader's machine, nothing from elsewhere. */
import { fileURLToPath } from "node:url";
import { type DefaultTheme, defineConfig } from "vitepress";
import { anchorOf } from "../markdown.ts";
import { DECISIONS, GROUPS, REFERENCE } from "../pages.ts";
import { allPages } from "../write-pages.ts";
import { publicDoors } from "../write-reference.ts";

const root = fileURLToPath(new URL("../../../", import.meta.url));

const ICON = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><g fill="#c7362d"><rect x="1" y="2" width="14" height="3" rx="1"/><rect x="1" y="6.5" width="14" height="3" rx="1"/><rect x="1" y="11" width="8" height="3" rx="1"/></g></svg>`;

const item = (text: string, link: string): DefaultTheme.SidebarItem => ({ text, link: `/${link}` });

export default defineConfig({
  title: "Redis Batch",
  description: "Work on the messages of a Redis Stream in batches, acknowledge each on its own, lose none.",
  lang: "en",
  // In the page, because a browser asks for one that nobody has put there.
  head: [["link", { rel: "icon", href: `data:image/svg+xml,${encodeURIComponent(ICON)}` }]],
  // Where the site is put below an address of others: REDIS_BATCH_DOCS_BASE=/redis-batch/
  base: process.env["REDIS_BATCH_DOCS_BASE"] ?? "/",
  srcDir: "../.cache/site",
  cacheDir: "../.cache/vitepress",
  outDir: "../dist",
  markdown: { anchor: { slugify: anchorOf } },
  vite: {
    // A page of a reference is large, and one of search even more.
    build: { chunkSizeWarningLimit: 4_000 },
  },
  themeConfig: {
    search: { provider: "local" },
    outline: { level: [2, 3] },
    nav: [
      { text: "Start", link: "/start/first-success" },
      { text: "Recipes", link: "/write/recipes" },
      { text: "Troubleshooting", link: "/look-up/troubleshooting" },
      { text: "Reference", link: `/${REFERENCE}/` },
    ],
    sidebar: [
      ...GROUPS.map(({ title, pages }) => ({
        text: title,
        collapsed: false,
        items: pages.map((page) => item(page.title, page.route)),
      })),
      {
        text: "Reference",
        collapsed: false,
        items: publicDoors(root).map(({ name }) => item(name, `${REFERENCE}/${name}`)),
      },
      {
        text: "Decisions",
        link: `/${DECISIONS.route}`,
        collapsed: true,
        items: allPages(root)
          .filter(({ source }) => source.startsWith(`${DECISIONS.folder}/`))
          .map(({ title, route }) => item(title, route)),
      },
    ],
  },
});
