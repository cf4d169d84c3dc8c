// What a TypeScript user of the package sees; compiled against the packed declarations by several compilers.
import { createServer } from "node:http";
import { createDashboard, type DashboardOptions, type DashboardServer, startDashboard } from "@redis-batch/dashboard";
import { create } from "./types.cjs";

const options = { redis: "redis://localhost", tokens: { ada: "a-long-enough-token" }, operators: ["ada"] };

/** In a server of one's own, and as one. */
export async function open(): Promise<DashboardServer> {
  createServer(createDashboard({ ...options, prefix: "/queues" }).handler);
  return startDashboard({ ...options, port: 0 });
}

// One type, whichever way it is loaded.
export const answer = (request: Request): Response | Promise<Response> => create().fetch(request);

// Declarations that could not be resolved would be `any`, and allow this.
// @ts-expect-error allowActions is a boolean
export const wrong = (): unknown => createDashboard({ ...options, allowActions: "yes" });

// With exactOptionalPropertyTypes: an option may be given as undefined, as process.env has it.
type Unset<Options> = {
  [Name in keyof Options]: object extends Pick<Options, Name> ? Options[Name] | undefined : Options[Name];
};
export const unset = (given: Unset<DashboardOptions>): DashboardOptions => given;
