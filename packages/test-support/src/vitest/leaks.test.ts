import { expect, test } from "vitest";
import { findLeaks, type Traces } from "./leaks.ts";

const NOTHING: Traces = { clients: new Map(), keys: new Set(), handles: new Map() };

test("nothing is left when everything that is there was there before", () => {
  const traces = { clients: new Map([["7", "addr=a"]]), keys: new Set(["orders"]), handles: new Map([["Worker", 1]]) };
  expect(findLeaks(traces, traces)).toEqual([]);
  expect(findLeaks(traces, NOTHING)).toEqual([]);
});

test("says what is there and was not before", () => {
  const after = {
    clients: new Map([["8", "addr=127.0.0.1:5 name= age=1 cmd=xreadgroup"]]),
    keys: new Set(["orders"]),
    handles: new Map([["TCPSocketWrap", 3]]),
  };
  expect(findLeaks({ ...NOTHING, handles: new Map([["TCPSocketWrap", 1]]) }, after)).toEqual([
    "client connection: addr=127.0.0.1:5 name= age=1 cmd=xreadgroup",
    "key: orders",
    "2 × TCPSocketWrap",
  ]);
});
