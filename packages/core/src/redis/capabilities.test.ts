import { expect, test } from "vitest";
import { probeCapabilities } from "./capabilities.ts";

const address = { stream: "orders", group: "billing" };

test.each([true, false])(
  "XACKDEL is used where the server knows it and this user may run it: %s",
  async (isAllowed) => {
    const asked: unknown[] = [];
    const server = {
      mayCall: async ({ commands }: { readonly commands: readonly (readonly unknown[])[] }) => {
        asked.push(...commands.map((words) => words.slice(0, 3)));
        return [isAllowed];
      },
    };
    expect(await probeCapabilities(server, address)).toEqual({ ackDelete: isAllowed });
    expect(asked).toEqual([["XACKDEL", "orders", "billing"]]);
  },
);

test("a server that cannot be asked is taken for the least supported one", async () => {
  expect(await probeCapabilities({ mayCall: async () => null }, address)).toEqual({ ackDelete: false });
});
