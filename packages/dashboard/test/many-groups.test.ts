/** A short form of `pnpm soak`: the page of a thousand groups is there soon, and who watches costs no memory. */
import { useServer } from "@redis-batch/test-support";
import { useBrowser } from "@redis-batch/test-support/browser";
import { beforeAll, expect, it } from "vitest";
import { buildPage } from "./build-page.ts";
import { growthOf, watchManyGroups } from "./many-groups.ts";

const redis = useServer({ own: true });
const browser = useBrowser();

beforeAll(buildPage);

it("shows 1,000 groups with 5 consumers each within 2 s, and needs no more memory with each look", async () => {
  const complaints: string[] = [];
  const measured = await watchManyGroups(
    {
      ...{ groups: 1_000, consumers: 5, watchers: 20, intervalMs: 500 },
      ...{ warmUpLooks: 1, samples: 2, looksPerSample: 3 },
    },
    {
      server: redis.server,
      open: async (url) => {
        const opened = await browser.open(url);
        opened.page.on("close", () => complaints.push(...opened.complaints));
        return opened.page;
      },
    },
  );
  expect(measured.firstPaintMs).toBeLessThan(2_000);
  // A look that was kept would be some 300 KiB for each who watches: 18 MiB for three of them. What is smaller, ten minutes show.
  expect(growthOf(measured.dashboardMiB)).toBeLessThan(12);
  expect(complaints).toEqual([]);
});
