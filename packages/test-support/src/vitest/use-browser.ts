/** A real browser for the tests of one file. */
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, beforeEach } from "vitest";
import { findChromium } from "../servers/find-chromium.ts";

export interface UsedBrowser {
  /**
   * A page at this address. What it complains of, and each request that goes elsewhere, is in `complaints`.
   */
  readonly open: (url: string, options?: BrowserContextOptions) => Promise<OpenPage>;
}

export interface OpenPage {
  readonly page: Page;
  readonly complaints: readonly string[];
}

/** Without a browser the tests are skipped, and say why. */
export function useBrowser(): UsedBrowser {
  let browser: Browser | undefined;
  let skipReason: string | undefined;
  beforeAll(async () => {
    const found = await findChromium();
    if ("skipReason" in found) skipReason = found.skipReason;
    // Root has no sandbox of its own to give.
    else browser = await chromium.launch({ executablePath: found.path, args: ["--no-sandbox"] });
  });
  beforeEach((context) => {
    if (skipReason !== undefined) context.skip(skipReason);
  });
  afterAll(() => browser?.close());
  return {
    async open(url, options = {}) {
      if (browser === undefined) throw new Error("the browser is there from beforeAll on");
      const page = await browser.newPage(options);
      const complaints: string[] = [];
      page.on("console", (message) => {
        if (message.type() === "error") complaints.push(message.text());
      });
      page.on("pageerror", (error) => complaints.push(String(error)));
      page.on("dialog", (dialog) => {
        complaints.push(`a dialog: ${dialog.message()}`);
        void dialog.dismiss();
      });
      page.on("request", (request) => {
        if (!request.url().startsWith(new URL(url).origin)) complaints.push(`asked ${request.url()}`);
      });
      await page.goto(url);
      return { page, complaints };
    },
  };
}
