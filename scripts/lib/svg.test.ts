import { describe, expect, it } from "vitest";
import { element, label, picture, stepPath } from "./svg.ts";

describe("the SVG writer", () => {
  it("escapes text and attributes", () => {
    expect(label(`<b> & "c"`, { x: 1, "data-of": `"'<` })).toBe(
      '<text x="1" data-of="&quot;&#39;&lt;">&lt;b&gt; &amp; &quot;c&quot;</text>',
    );
  });

  it("closes an element without content at once", () => {
    expect(element("path", { d: "M0 0" })).toBe('<path d="M0 0"/>');
  });

  it("draws each value until the next", () => {
    const points = [
      [0, 10],
      [5, 20.04],
      [9, 20.06],
    ] as const;
    expect(stepPath(points)).toBe("M0 10H5V20H9V20.1");
  });

  it("names the picture for those who do not see it", () => {
    expect(picture(10, 5, "a < b", "", "")).toContain("<title>a &lt; b</title>");
  });
});
