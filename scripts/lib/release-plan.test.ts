import { expect, it } from "vitest";
import { publishedPackages } from "./packages.ts";
import { publicSbom, publishOrder } from "./release-plan.ts";
import { addressOf, originOf } from "./repository.ts";
import { ROOT } from "./root.mjs";

it("publishes no package before what it needs", () => {
  const packages = publishedPackages(ROOT);
  const order = publishOrder(packages);
  const names = order.map(({ manifest }) => manifest.name);
  expect(names.toSorted()).toEqual(packages.map(({ manifest }) => manifest.name).toSorted());
  for (const [at, { manifest }] of order.entries()) {
    const needed = Object.keys(manifest.dependencies ?? {}).filter((name) => name.startsWith("@redis-batch/"));
    expect(names.slice(0, at)).toEqual(expect.arrayContaining(needed));
  }
  expect(names[0]).toBe("@redis-batch/core");
});

it("says in the bill of materials what a package is, and not where this machine got it", () => {
  const site = { type: "website", url: "https://a.example" };
  const download = { type: "distribution", url: "https://mirror.example/npm/a/-/a-1.0.0.tgz" };
  const component = { name: "a", purl: "pkg:npm/a@1.0.0" };
  const sbom = JSON.stringify({ components: [{ ...component, externalReferences: [download, site] }] });
  expect(JSON.parse(publicSbom(sbom))).toEqual({ components: [{ ...component, externalReferences: [site] }] });
});

it("names a repository only once there is one", () => {
  expect(addressOf("docs/a.md", null)).toBe(null);
  expect(originOf("packages/core", null)).toEqual({});
  expect(addressOf("docs/a.md", "https://git.example/x")).toBe("https://git.example/x/blob/main/docs/a.md");
  expect(originOf("packages/core", "https://git.example/x")).toEqual({
    repository: { type: "git", url: "git+https://git.example/x.git", directory: "packages/core" },
    homepage: "https://git.example/x/tree/main/packages/core#readme",
    bugs: "https://git.example/x/issues",
  });
});
