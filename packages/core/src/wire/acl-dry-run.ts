import type { Argument, Command } from "./command.ts";
import { decodeText } from "./reply.ts";

export interface AclDryRunOptions {
  readonly user: string;
  /** A complete command, which is not executed. */
  readonly command: readonly Argument[];
}

/** `ACL DRYRUN user command …` → whether that user may run it. Needs an administrator's right. */
export const aclDryRun: Command<AclDryRunOptions, boolean> = {
  name: "acl",
  encode: ({ user, command }) => ["DRYRUN", user, ...command],
  decode: (reply) => decodeText(reply, "ACL DRYRUN") === "OK",
};

/** `ACL WHOAMI` → the user of this connection. */
export const aclWhoAmI: Command<object, string> = {
  name: "acl",
  encode: () => ["WHOAMI"],
  decode: (reply) => decodeText(reply, "ACL WHOAMI"),
};
