import { expect, test } from "vitest";
import { configGet } from "./config-get.ts";

test("asks for settings, and reads those that the server knows", () => {
  const options = { names: ["save", "appendfsync", "no-such"] };
  expect(configGet.encode(options)).toEqual(["GET", "save", "appendfsync", "no-such"]);
  const reply = ["save", "", "appendfsync", "always"].map((text) => Buffer.from(text));
  expect([...configGet.decode(reply, options)]).toEqual([
    ["save", ""],
    ["appendfsync", "always"],
  ]);
  expect(() => configGet.decode(null, options)).toThrow("CONFIG GET");
});
