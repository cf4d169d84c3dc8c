import { randomUUID } from "node:crypto";
import { hostname } from "node:os";

/** A unique name for one instance of a service, which shows people where it runs. */
export function instanceName(instance: string = randomUUID()): string {
  return `${hostname()}-${process.pid}-${instance}`;
}
