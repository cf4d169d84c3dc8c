import { describe, expect, it } from "vitest";
import { chooseFormat } from "./exposition.ts";

describe("chooseFormat", () => {
  it.each([
    [undefined, "text"],
    ["*/*", "text"],
    ["text/html, text/plain;q=0.9", "text"],
    ["application/openmetrics-text", "openmetrics"],
    [
      "application/openmetrics-text;version=1.0.0;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=0.0.4;q=0.2,*/*;q=0.1",
      "openmetrics",
    ],
    ["application/openmetrics-text;version=1.0.0;q=0.2, text/plain;version=0.0.4;q=0.8", "text"],
    ["application/openmetrics-text;version=2.0.0", "text"],
    ["application/openmetrics-text;q=0", "text"],
    [";;;,q=,;q=x", "text"],
  ] as const)("answers %j with %s", (accept, format) => expect(chooseFormat(accept)).toBe(format));
});
