import { expect, test } from "vitest";
import { aclDryRun, aclWhoAmI } from "./acl-dry-run.ts";

test("asks about a whole command, and takes anything but OK for a no", () => {
  const options = { user: "app", command: ["xadd", "orders", "*", "a", "1"] };
  expect(aclDryRun.encode(options)).toEqual(["DRYRUN", "app", "xadd", "orders", "*", "a", "1"]);
  expect(aclDryRun.decode(Buffer.from("OK"), options)).toBe(true);
  expect(aclDryRun.decode(Buffer.from("User app has no permissions to run the 'xadd' command"), options)).toBe(false);
  expect(aclWhoAmI.decode(Buffer.from("app"), {})).toBe("app");
});
