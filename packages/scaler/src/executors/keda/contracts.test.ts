import { fileURLToPath } from "node:url";
import { fromJSON, loadSync } from "@grpc/proto-loader";
import { expect, test } from "vitest";
import { EXTERNAL_SCALER, HEALTH } from "./contracts.ts";

test.each([
  ["externalscaler.proto", EXTERNAL_SCALER],
  ["health.proto", HEALTH],
])("the contract that is spoken is the one that is published: %s", (file, contract) => {
  const published = loadSync(fileURLToPath(new URL(`../../../proto/${file}`, import.meta.url)), { keepCase: true });
  const spoken = fromJSON(contract, { keepCase: true });
  expect(JSON.parse(JSON.stringify(spoken))).toEqual(JSON.parse(JSON.stringify(published)));
});
