import { expect, test } from "vitest";
import { info } from "./info.ts";

test("reads fields, whatever their values hold, and no headings", () => {
  const text = "# Server\r\nredis_version:7.0.15\r\nos:Linux 6.1: x86\r\n\r\n# Memory\r\nmaxmemory:0\r\n";
  expect([...info.decode(Buffer.from(text), {})]).toEqual([
    ["redis_version", "7.0.15"],
    ["os", "Linux 6.1: x86"],
    ["maxmemory", "0"],
  ]);
});
