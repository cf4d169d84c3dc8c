import { runInNewContext } from "node:vm";

const fail = (): never => {
  throw new Error("no look at me");
};
const revoked = (target: object): unknown => {
  const { proxy, revoke } = Proxy.revocable(target, {});
  revoke();
  return proxy;
};
const hostile = (target: object): unknown =>
  new Proxy(target, { get: fail, has: fail, getPrototypeOf: fail, ownKeys: fail, getOwnPropertyDescriptor: fail });

const cyclic = new Error("cyclic");
cyclic.cause = cyclic;

/** Values that nobody expects an application to throw, reject with, or pass; created again at each call. */
export const ODD_VALUES: readonly (readonly [what: string, value: unknown])[] = [
  ["undefined", undefined],
  ["null", null],
  ["a symbol", Symbol("s")],
  ["an object without a prototype", Object.create(null)],
  ["an object whose toString throws", { toString: fail }],
  ["an object whose toString gives no text", { toString: () => ({}) }],
  ["an object whose Symbol.toPrimitive throws", { [Symbol.toPrimitive]: fail }],
  ["an error whose message throws", Object.defineProperty(new Error("x"), "message", { get: fail })],
  ["an error whose name throws", Object.defineProperty(new Error("x"), "name", { get: fail })],
  ["an error whose message is no text", Object.assign(new Error("x"), { message: Object.create(null) as unknown })],
  ["an error whose constructor throws", Object.defineProperty(new Error("x"), "constructor", { get: fail })],
  ["an error whose stack throws", Object.defineProperty(new Error("x"), "stack", { get: fail })],
  ["an error that is its own cause", cyclic],
  ["an error of another realm", runInNewContext("new TypeError('elsewhere')")],
  ["a revoked proxy", revoked({})],
  ["a revoked proxy of an error", revoked(new Error("x"))],
  ["a revoked proxy of a function", revoked(() => {})],
  ["a proxy whose traps throw", hostile({})],
  ["a proxy of an error whose traps throw", hostile(new Error("x"))],
  ["a text of ten million characters", "x".repeat(10_000_000)],
  ["an error with such a message", new Error("x".repeat(10_000_000))],
];

/** A thenable that is not a Promise. */
export function thenable(then: (resolve: (value: unknown) => void, reject: (error: unknown) => void) => void): object {
  return Object.fromEntries(["then"].map((name) => [name, then]));
}
