import { expect, test } from "vitest";
import { whyUnfit } from "./server-need.ts";

const EXTERNAL = { kind: "external", url: "redis://localhost" } as const;
const DOCKER = { kind: "docker", image: "redis:7.0" } as const;
const BINARY = { kind: "binary", path: "/usr/bin/redis-server", flavour: "redis", version: "7.0.15" } as const;

test("a shared server serves tests that want any, and says why it serves no others", () => {
  expect(whyUnfit(EXTERNAL, "any")).toBeUndefined();
  expect(whyUnfit(EXTERNAL, "own")).toContain("REDIS_BATCH_TEST_URL");
  expect(whyUnfit(EXTERNAL, "several")).toContain("REDIS_BATCH_TEST_URL");
});

test("a container serves all but tests of several servers", () => {
  expect(whyUnfit(DOCKER, "own")).toBeUndefined();
  expect(whyUnfit(DOCKER, "several")).toContain("on this machine");
});

test("a server program serves every test", () => {
  for (const need of ["any", "own", "several"] as const) expect(whyUnfit(BINARY, need)).toBeUndefined();
});
