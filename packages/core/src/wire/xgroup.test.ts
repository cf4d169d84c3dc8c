import { describe, expect, test } from "vitest";
import { xgroupCreate, xgroupCreateConsumer } from "./xgroup.ts";

describe("xgroupCreate", () => {
  test.each([
    ["start", "0"],
    ["end", "$"],
    ["5-1", "5-1"],
  ])("position %s is %s on the wire, and the stream is made where it is missing", (position, id) => {
    expect(xgroupCreate.encode({ stream: "s", group: "g", position })).toEqual(["CREATE", "s", "g", id, "MKSTREAM"]);
  });

  test("replies nothing beyond that it was done", () => {
    const options = { stream: "s", group: "g", position: "start" } as const;
    expect(xgroupCreate.decode(Buffer.from("OK"), options)).toBeUndefined();
  });
});

describe("xgroupCreateConsumer", () => {
  const options = { stream: "s", group: "g", consumer: "c" };

  test("names stream, group and consumer", () => {
    expect(xgroupCreateConsumer.encode(options)).toEqual(["CREATECONSUMER", "s", "g", "c"]);
  });

  test("replies whether the consumer is new", () => {
    expect(xgroupCreateConsumer.decode(1, options)).toBe(true);
    expect(xgroupCreateConsumer.decode(0, options)).toBe(false);
  });
});
