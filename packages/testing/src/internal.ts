/** The door for the tests of the sibling packages: a server in memory, down to its keys and every method of the port. Not published. */
export type { FaultMoment, HeldCalls, MemoryMethod } from "./memory/memory-faults.ts";
export { createMemoryServer, type MemoryServer } from "./memory/memory-server.ts";
