import { expect, it } from "vitest";
import { namesBeside } from "./installed.ts";

it("leaves out what the known package stands on, and what is for development", () => {
  const lock = {
    packages: {
      "node_modules/ours": { dependencies: { core: "1", heavy: "1" } },
      "node_modules/core": {},
      "node_modules/heavy": {},
      "node_modules/heavy/node_modules/inner": {},
      "node_modules/client": { dependencies: { parser: "1" } },
      "node_modules/parser": { dependencies: { errors: "1", parser: "1" } },
      "node_modules/errors": {},
      "node_modules/compiler": { dev: true },
    },
  };
  expect(namesBeside(lock, "client")).toEqual(["client", "core", "heavy", "inner", "ours"]);
});
