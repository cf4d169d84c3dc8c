import { expect, test } from "vitest";
import { probeCapabilities } from "./capabilities.ts";

const serverThatKnows = (...commands: string[]) => ({
  knowsCommands: async (names: readonly string[]) => names.map((name) => commands.includes(name)),
});

test("XACKDEL is used where the server knows it", async () => {
  expect(await probeCapabilities(serverThatKnows("xackdel"))).toEqual({ ackDelete: true });
  expect(await probeCapabilities(serverThatKnows("xadd"))).toEqual({ ackDelete: false });
});

test("a server that does not let us ask is taken for the least supported one", async () => {
  expect(await probeCapabilities({ knowsCommands: async () => null })).toEqual({ ackDelete: false });
});
