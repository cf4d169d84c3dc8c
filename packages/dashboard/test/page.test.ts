/** The page in a real browser, before a real Redis with real consumers. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { gunzipSync } from "node:zlib";
import { Monitor } from "@redis-batch/monitor";
import { FaultProxy, useServer } from "@redis-batch/test-support";
import { useBrowser } from "@redis-batch/test-support/browser";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type DashboardServer, startDashboard } from "../src/index.ts";
import { pageFiles } from "../src/page/files.ts";
import { buildPage } from "./build-page.ts";
import { HOSTILE, openScene, type Scene } from "./scene.ts";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const VIEWS = ["health", "dead-letters", "pending", "messages", "scaler"] as const;

const redis = useServer({ own: true });
const browser = useBrowser();
let scene: Scene;
let hostile: Scene;
let dashboard: DashboardServer;

beforeAll(async () => {
  await buildPage();
  scene = await openScene(redis.server);
  hostile = await openScene(redis.server, HOSTILE);
  dashboard = await startDashboard({
    ...{ redis: redis.server.url, port: 0, allowActions: true, mask: ["email"], intervalMs: 500 },
    observer: () => {},
  });
});
afterAll(async () => {
  await dashboard?.close();
  await hostile?.[Symbol.asyncDispose]();
  await scene?.[Symbol.asyncDispose]();
});

const encode = (name: string): string => encodeURIComponent(JSON.stringify(name).slice(1, -1)).replaceAll(".", "%2E");
const groupUrl = ([stream, group]: readonly [string, string], view: string): string =>
  `${dashboard.url}#/group/${encode(stream)}/${encode(group)}/${view}`;
const at = (of: Scene, index: number): readonly [string, string] => of.groups[index] as readonly [string, string];

/** Has the view shown what it asked for? Each has a heading, and says nothing of loading any more. */
async function settled(page: Page): Promise<void> {
  await page.locator("main h1").waitFor();
  await page.getByText("Loading…").waitFor({ state: "detached" });
  await page.getByText("Live", { exact: true }).waitFor();
}

it("is no larger than 70 kB, compressed, in all", () => {
  const sizes = [...pageFiles().values()].map(({ length }) => length);
  expect(sizes.length).toBeGreaterThan(2);
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(70_000);
});

it("has the licenses of what is built in, which are checked under the same names", () => {
  const names = [
    ...gunzipSync(pageFiles().get("licenses.md") ?? "")
      .toString()
      .matchAll(/^## (\S+)/gm),
  ].map(([, name = ""]) => name);
  expect(names.toSorted()).toEqual(["@preact/signals", "@preact/signals-core", "preact", "uplot"]);
});

it("shows all groups, worst first, with their reasons, and follows what happens", async () => {
  const { page, complaints } = await browser.open(dashboard.url);
  const row = page.getByRole("row").filter({ has: page.getByRole("link", { name: /^shop:orders\s*\/\s*audit$/ }) });
  await row.getByText("Failing").waitFor();
  await row.getByText(/messages it finished .* went to the dead letters/).waitFor();
  const count = async (): Promise<number> =>
    Number((await row.getByRole("link", { name: /dead letters of audit/ }).textContent())?.replaceAll(/\D/g, ""));
  const before = await count();
  await expect.poll(count, { timeout: 60_000 }).toBeGreaterThan(before);
  const names = await page.locator("td.name .group").allTextContents();
  expect(names.indexOf("audit")).toBeLessThan(names.indexOf("billing"));
  await page.getByText("1 stream without a group").or(page.getByText("2 streams without a group")).waitFor();
  expect(complaints).toEqual([]);
  await page.close();
});

/** Widths in CSS pixels; 720 is a page of 1440 at zoom 200 %. */
const LOOKS = [
  ["light", 1440],
  ["dark", 768],
  ["light", 720],
  ["dark", 390],
] as const;

describe("every view", () => {
  it.each(VIEWS)("%s renders, and axe finds nothing serious, at each width, dark and light", async (view) => {
    const group = view === "dead-letters" ? at(scene, 1) : view === "pending" ? at(scene, 2) : at(scene, 0);
    expect(await problemsAtAllSizes(groupUrl(group, view), PROOF[view])).toEqual([]);
  });

  it.each(["", "#/log", "#/doctor"])("the page at %j, too", async (hash) => {
    expect(await problemsAtAllSizes(`${dashboard.url}${hash}`)).toEqual([]);
  });
});

/** @param proof what has to be there once the view has settled */
async function problemsAtAllSizes(url: string, proof?: RegExp): Promise<readonly string[]> {
  const { page, complaints } = await browser.open(url, { bypassCSP: true });
  const problems: string[] = [];
  for (const [colorScheme, width] of LOOKS) {
    await page.emulateMedia({ colorScheme });
    await page.setViewportSize({ width, height: 800 });
    await settled(page);
    if (proof !== undefined) await page.getByText(proof).filter({ visible: true }).first().waitFor();
    problems.push(...(await seriousFindings(page)).map((finding) => `at ${width}: ${finding}`));
    const sideways = await sidewaysBy(page);
    if (sideways !== 0) problems.push(`at ${width}: the page is ${sideways} pixels too wide`);
  }
  await page.close();
  return [...problems, ...complaints];
}

/** What each view shows of the scene. */
const PROOF: Readonly<Record<(typeof VIEWS)[number], RegExp>> = {
  health: /its last heartbeat was/,
  "dead-letters": /the ledger is closed/,
  pending: /legacy-7/,
  messages: /A-17/,
  scaler: /two consumers are enough/i,
};

/** What axe calls serious or critical. */
async function seriousFindings(page: Page): Promise<readonly string[]> {
  await page.evaluate(AXE);
  const found = await page.evaluate(async () => {
    const { axe } = globalThis as unknown as {
      readonly axe: {
        run(): Promise<{
          readonly violations: readonly {
            readonly id: string;
            readonly impact: string;
            readonly nodes: readonly { readonly html: string; readonly failureSummary: string }[];
          }[];
        }>;
      };
    };
    return (await axe.run()).violations;
  });
  return found
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .map(({ id, nodes }) => `${id}: ${nodes[0]?.html} ${nodes[0]?.failureSummary}`);
}

/** By how many pixels the page is wider than its window. */
function sidewaysBy(page: Page): Promise<number> {
  return page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth");
}

describe("hostile names and payloads", () => {
  it.each(VIEWS)("are only text in %s: nothing of them runs, and nothing is asked elsewhere", async (view) => {
    const group = view === "dead-letters" ? at(hostile, 1) : view === "pending" ? at(hostile, 2) : at(hostile, 0);
    const { page, complaints } = await browser.open(groupUrl(group, view), { viewport: { width: 390, height: 800 } });
    await settled(page);
    if (view === "dead-letters") {
      await page.getByRole("button", { name: "Show" }).first().click();
      await page.locator(".letters article").first().waitFor();
    }
    if (view === "scaler") await page.getByText("How it was decided").first().click();
    await page.getByText("onerror=").filter({ visible: true }).first().waitFor();
    expect(await page.evaluate("globalThis.hacked")).toBe(undefined);
    expect(await page.locator("main img, main script, main [onload]").count()).toBe(0);
    expect(await sidewaysBy(page)).toBe(0);
    expect(complaints).toEqual([]);
    await page.close();
  });

  it.each(["#/log", "#/doctor"])("are only text at %s", async (hash) => {
    const { page, complaints } = await browser.open(`${dashboard.url}${hash}`, {
      viewport: { width: 390, height: 800 },
    });
    await settled(page);
    await page.getByText("onerror=").filter({ visible: true }).first().waitFor();
    if (hash === "#/log") await page.getByText("The command that does the same").first().click();
    expect([await page.evaluate("globalThis.hacked"), await sidewaysBy(page), complaints]).toEqual([undefined, 0, []]);
    expect(await page.locator("main img, main script, main [onload]").count()).toBe(0);
    await page.close();
  });

  it("are only text in the overview, and lead to their own groups", async () => {
    const { page, complaints } = await browser.open(dashboard.url);
    await settled(page);
    const link = page.locator("td.name a").filter({ hasText: "audit <img" }).first();
    await link.click();
    await page.locator("h1").filter({ hasText: "audit <img" }).waitFor();
    // What would turn the direction of the text is written out.
    expect(await page.locator("h1").textContent()).toContain("\\u202egnirts");
    expect([await page.evaluate("globalThis.hacked"), complaints]).toEqual([undefined, []]);
    await page.close();
  });
});

describe("names of 10,000 characters", () => {
  const long = `long-${"x".repeat(10_000)}`;

  it("leave room for the rest, and their groups can be opened and paused", async () => {
    await redis.server.command("XADD", long, "*", "a", "1");
    await redis.server.command("XGROUP", "CREATE", long, long, "0");
    const { page, complaints } = await browser.open(dashboard.url);
    await settled(page);
    const row = page.getByRole("row").filter({ hasText: "long-xxx" });
    await row.waitFor({ timeout: 60_000 });
    expect((await row.boundingBox())?.height).toBeLessThan(400);
    await row.getByRole("link").first().click();
    await settled(page);
    expect((await page.locator("h1").boundingBox())?.height).toBeLessThan(400);
    await page.getByRole("button", { name: "Pause…" }).click();
    const dialog = page.getByRole("dialog", { name: "Pause the group" });
    await dialog.getByText("redis-batch group pause").waitFor();
    await page.setViewportSize({ width: 390, height: 800 });
    expect(await sidewaysBy(page)).toBe(0);
    await dialog.getByRole("button", { name: "Pause", exact: true }).click();
    await dialog.getByText("Paused.").waitFor();
    await page.close();
    await redis.server.command("DEL", long);
    expect(complaints).toEqual([]);
  });
});

describe("dead letters", () => {
  it("are redriven by a plan that shows them first, which is logged with its command", async () => {
    const { page, complaints } = await browser.open(groupUrl(at(scene, 1), "dead-letters"));
    await settled(page);
    const line = page.locator(".errors > li").filter({ hasText: "the ledger is closed" });
    await line.getByRole("button", { name: "Redrive these…" }).click();
    const dialog = page.getByRole("dialog", { name: "Redrive dead letters" });
    await dialog.getByRole("spinbutton", { name: "At most" }).fill("7");
    await dialog.getByRole("spinbutton", { name: "At most" }).blur();
    await dialog.getByText(/^7 dead letters$/).waitFor();
    const command = (await dialog.locator("code").textContent()) ?? "";
    expect(command).toMatch(/^redis-batch dead-letters redrive shop:orders audit( \d+-\d+){7} --yes$/);
    await dialog.getByRole("button", { name: "Redrive 7" }).click();
    await dialog.getByText("7 redriven.").waitFor();
    await dialog.getByRole("button", { name: "Close" }).click();
    await page.getByRole("link", { name: "Actions" }).click();
    const action = page.getByRole("listitem").filter({ hasText: "redrive of 7 dead letters" });
    await action.getByText("7 done").waitFor();
    await action.getByText("anyone on this machine").waitFor();
    await action.getByText("The command that does the same").click();
    expect(await action.locator("code").textContent()).toBe(command);
    expect(complaints).toEqual([]);
    await page.close();
  });

  it("hide the values of masked fields", async () => {
    const { page } = await browser.open(groupUrl(at(scene, 1), "dead-letters"));
    await page.getByRole("button", { name: "Show" }).first().click();
    await page.getByText("hidden, 15 bytes").first().waitFor();
    expect(await page.content()).not.toContain("ada@example.com");
    await page.close();
  });

  it("can be reached and chosen by keyboard alone", async () => {
    const { page } = await browser.open(dashboard.url);
    await settled(page);
    await page.keyboard.press("/");
    await page.keyboard.type("shop:orders audit");
    const focused = (): Promise<string> => page.evaluate("document.activeElement?.textContent ?? ''");
    const tabTo = async (text: string): Promise<void> => {
      for (let steps = 0; !(await focused()).includes(text); steps++) {
        expect(steps).toBeLessThan(30);
        await page.keyboard.press("Tab");
      }
    };
    await tabTo("shop:orders");
    await page.keyboard.press("Enter");
    await page.locator("h1", { hasText: "audit" }).waitFor();
    await tabTo("Dead letters");
    await page.keyboard.press("Enter");
    await page.locator(".errors > li").first().waitFor();
    await tabTo("Discard these…");
    await page.keyboard.press("Enter");
    await page.getByRole("dialog").waitFor();
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "detached" });
    await page.close();
  });
});

describe("a whole group", () => {
  const [stream, group] = ["shop:orders", "billing"] as const;
  const reason = `the database <img src=x onerror="globalThis.hacked=1"> moves, it's late \u202e`;

  it("is paused, resumed and limited by dialogs that show the command, at each width, and both are logged", async () => {
    const { page, complaints } = await browser.open(groupUrl([stream, group], "health"), { bypassCSP: true });
    await settled(page);
    await page.getByRole("button", { name: "Pause…" }).click();
    const dialog = page.getByRole("dialog", { name: "Pause the group" });
    await dialog.getByLabel("For how long").selectOption("1 hour");
    await dialog.getByLabel("Why, for those who find it paused").fill(reason);
    await dialog.getByText(/--for 1h --reason/).waitFor();
    const command = (await dialog.locator("code").textContent()) ?? "";
    expect(command).toContain(`redis-batch group pause ${stream} ${group} --for 1h --reason 'the database <img`);
    expect(await problemsNow(page)).toEqual([]);
    await dialog.getByRole("button", { name: "Pause", exact: true }).click();
    await dialog.getByText("Paused.").waitFor();
    await dialog.getByRole("button", { name: "Close" }).click();
    await page.getByText(/paused by anyone on this machine \(the database .* ago, for another/).waitFor();
    await page.locator(".heading .status").getByText("Paused").waitFor();
    expect(await problemsNow(page)).toEqual([]);
    await page.getByRole("button", { name: "Resume…" }).click();
    const resuming = page.getByRole("dialog", { name: "Resume the group" });
    await resuming.getByText(/Paused by anyone on this machine at .*, until/).waitFor();
    expect(await problemsNow(page)).toEqual([]);
    await resuming.getByRole("button", { name: "Resume" }).click();
    await resuming.getByText("Resumed.").waitFor();
    await page.keyboard.press("Escape");
    await page.getByRole("button", { name: "Pause…" }).waitFor();
    await page.getByRole("button", { name: "Rate…" }).click();
    const rating = page.getByRole("dialog", { name: "Rate of the group" });
    await rating.getByRole("spinbutton", { name: "Messages" }).fill("50000");
    await rating.getByRole("spinbutton", { name: "Messages" }).blur();
    await rating.getByLabel("Per").selectOption("minute");
    await rating.getByText(`redis-batch group rate ${stream} ${group} --messages 50000 --per 1m`).waitFor();
    expect(await problemsNow(page)).toEqual([]);
    await rating.getByRole("button", { name: "Set" }).click();
    await rating.getByText("The rate is changed.").waitFor();
    await page.keyboard.press("Escape");
    await page.getByText("50,000 per minute").waitFor();
    expect(await problemsNow(page)).toEqual([]);
    await page.getByRole("button", { name: "Rate…" }).click();
    await rating.getByLabel("Limit the group").uncheck();
    await rating.getByRole("button", { name: "Remove" }).click();
    await rating.getByText("The rate is changed. It was 50,000 per minute before.").waitFor();
    await page.keyboard.press("Escape");
    await page.getByRole("link", { name: "Actions" }).click();
    const action = page.getByRole("listitem").filter({ hasText: `pause of ${stream} / ${group}` });
    await action.getByText("done", { exact: true }).waitFor();
    await action.getByText("The command that does the same").click();
    expect(await action.locator("code").textContent()).toBe(command);
    expect(await problemsNow(page)).toEqual([]);
    expect([await page.evaluate("globalThis.hacked"), complaints]).toEqual([undefined, []]);
    await page.close();
  });

  it("is not touched where somebody else was faster: the page says who", async () => {
    const { page } = await browser.open(groupUrl([stream, group], "health"));
    await settled(page);
    await page.getByRole("button", { name: "Pause…" }).click();
    const dialog = page.getByRole("dialog", { name: "Pause the group" });
    await dialog.getByText("redis-batch group pause").waitFor();
    await using monitor = new Monitor({ redis: redis.server.url, stream, group, observer: () => {} });
    await monitor.pause({ by: "bob", reason: "a deploy" });
    await dialog.getByRole("button", { name: "Pause", exact: true }).click();
    await dialog.getByText("nothing was done: the group was paused by bob (a deploy) meanwhile").waitFor();
    expect(await monitor.resume()).toMatchObject({ by: "bob" });
    await page.close();
  });
});

/** What axe calls serious, and what is cut, at each width. */
async function problemsNow(page: Page): Promise<readonly string[]> {
  const problems: string[] = [];
  for (const [colorScheme, width] of LOOKS) {
    await page.emulateMedia({ colorScheme });
    await page.setViewportSize({ width, height: 800 });
    problems.push(...(await seriousFindings(page)).map((finding) => `at ${width}: ${finding}`));
    const sideways = await sidewaysBy(page);
    if (sideways !== 0) problems.push(`at ${width}: the page is ${sideways} pixels too wide`);
    const cut = await page.evaluate<number>(
      "[...document.querySelectorAll('dialog')].map((one) => one.scrollWidth - one.clientWidth).find((by) => by > 0) ?? 0",
    );
    if (cut !== 0) problems.push(`at ${width}: the dialog is ${cut} pixels too wide`);
  }
  return problems;
}

describe("a connection that is cut", () => {
  it("to the dashboard's server is told, and what was shown stays until it is back", async () => {
    await using proxy = await FaultProxy.start({ address: { host: "127.0.0.1", port: dashboard.port } });
    const { page } = await browser.open(`http://127.0.0.1:${proxy.address.port}/`);
    await settled(page);
    await page.locator("td.name").nth(2).waitFor();
    proxy.set({ refuse: true });
    proxy.reset();
    await page.getByText("The connection to the dashboard's server is cut.").waitFor();
    expect(await page.locator("td.name").count()).toBeGreaterThan(2);
    proxy.set({ refuse: false });
    await settled(page);
    await page.getByText("The connection to the dashboard's server is cut.").waitFor({ state: "detached" });
    await page.close();
  });

  it("to Redis is told, with the reason, and looks go on when it is back", async () => {
    await using proxy = await FaultProxy.start(redis.server);
    await using other = await startDashboard({ redis: proxy.url, port: 0, intervalMs: 500, observer: () => {} });
    const { page } = await browser.open(other.url);
    await settled(page);
    await page.locator("td.name").nth(2).waitFor();
    proxy.set({ refuse: true });
    proxy.reset();
    await page.getByText("Redis cannot be read:").waitFor();
    expect(await page.locator("td.name").count()).toBeGreaterThan(2);
    proxy.set({ refuse: false });
    await page.getByText("Redis cannot be read:").waitFor({ state: "detached" });
    await settled(page);
    await page.close();
  });
});

describe("who may do what", () => {
  it("nobody acts without allowActions", async () => {
    await using other = await startDashboard({ redis: redis.server.url, port: 0, intervalMs: 500, observer: () => {} });
    const { page } = await browser.open(
      `${other.url}${groupUrl(at(scene, 1), "dead-letters").slice(dashboard.url.length)}`,
    );
    await page.locator(".errors > li").first().waitFor();
    expect(await page.getByRole("button", { name: /Redrive|Discard|Pause|Rate/ }).count()).toBe(0);
    await page.getByText("read-only").waitFor();
    await page.close();
  });

  it("people sign in with their tokens, and out", async () => {
    await using other = await startDashboard({
      ...{ redis: redis.server.url, port: 0, intervalMs: 500, observer: () => {}, allowActions: true },
      ...{ tokens: { ada: "ada-has-a-long-token", bob: "bob-has-a-long-token" }, operators: ["ada"] },
    });
    const { page } = await browser.open(other.url);
    await page.getByLabel("Your token").fill("a-token-of-nobody-at-all");
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByText("This token is not known.").waitFor();
    await page.getByLabel("Your token").fill("bob-has-a-long-token");
    await page.getByRole("button", { name: "Sign in" }).click();
    await settled(page);
    await page.getByText("bob").waitFor();
    await page.getByText("read-only").waitFor();
    expect(await page.evaluate("document.cookie")).toBe("");
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByLabel("Your token").waitFor();
    await page.close();
  });
});
