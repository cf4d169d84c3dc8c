import { expect, test } from "vitest";
import { probeCapabilities } from "./capabilities.ts";

const serverThatKnows = (...commands: string[]) => ({
  knowsCommands: async (names: readonly string[]) => names.map((name) => commands.includes(name)),
});

test("XACKDEL is used where the server knows it", async () => {
  expect(await probeCapabilities(serverThatKnows("fcall", "xackdel"))).toEqual({ ackDelete: true });
  expect(await probeCapabilities(serverThatKnows("fcall"))).toEqual({ ackDelete: false });
});

test("a server that does not let us ask is taken for the least supported one", async () => {
  expect(await probeCapabilities({ knowsCommands: async () => null })).toEqual({ ackDelete: false });
});

test("a server older than Redis 7.0 is refused, saying what is needed", async () => {
  await expect(probeCapabilities(serverThatKnows("xadd"))).rejects.toMatchObject({
    code: "UNSUPPORTED_SERVER",
    message: "this server is older than Redis 7.0 (it does not know FCALL); Redis 7.0 or Valkey 8, or later, is needed",
  });
});
