import { expect, test } from "vitest";
import { addressUrl, connectionOptions, parseAddress } from "./server-address.ts";

test("a URL and an address say the same", () => {
  const url = "redis://alice:p%40ss@127.0.0.1:7000/3";
  const address = { host: "127.0.0.1", port: 7000, username: "alice", password: "p@ss", db: 3 };
  expect(parseAddress(url)).toEqual(address);
  expect(addressUrl(address)).toBe(url);
});

test("a URL without port means 6379", () => {
  expect(parseAddress("redis://localhost")).toEqual({ host: "localhost", port: 6379 });
});

test.each(["rediss://localhost", "localhost:6379", "redis://", "redis://localhost/orders"])("%s is refused", (url) => {
  expect(() => parseAddress(url)).toThrow(/test server's address/);
});

test("a unix socket goes before host and port", () => {
  const address = { host: "127.0.0.1", port: 0, path: "/tmp/socket" };
  expect(connectionOptions(address)).toEqual({ path: "/tmp/socket" });
  expect(addressUrl(address)).toBe("redis+unix:///tmp/socket");
});
