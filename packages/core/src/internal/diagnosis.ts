/**
 * What is wrong with a server, and with the rights of a user.
 *
 * For the sibling packages, which pin this one exactly: not covered by semantic versioning.
 */
export { diagnoseGroup, diagnoseRetention } from "../diagnosis/diagnose-group.ts";
export { diagnoseRights, type Finding, finding, type Severity } from "../diagnosis/diagnosis.ts";
export { examineServer, findMissingCommands } from "../diagnosis/examine-server.ts";
export { diagnoseMissingCommands } from "../diagnosis/missing-commands.ts";
export { probeRights } from "../diagnosis/probe-rights.ts";
export { quoteWord } from "../names/quote-word.ts";
