import { randomUUID } from "node:crypto";
import { hostname } from "node:os";

/** Names one instance of a service: like no other, and telling people where it is. */
export function instanceName(instance: string = randomUUID()): string {
  return `${hostname()}-${process.pid}-${instance}`;
}
