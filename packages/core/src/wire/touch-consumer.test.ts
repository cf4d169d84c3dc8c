import { expect, test } from "vitest";
import { touchConsumer } from "./touch-consumer.ts";

test("reads the name's own pending list behind every id, so that nothing is delivered", () => {
  const options = { stream: "s", group: "g", consumer: "c" };
  expect(touchConsumer.name).toBe("xreadgroup");
  expect(touchConsumer.encode(options)).toEqual([
    "GROUP",
    "g",
    "c",
    "COUNT",
    1,
    "STREAMS",
    "s",
    "18446744073709551615",
  ]);
});
