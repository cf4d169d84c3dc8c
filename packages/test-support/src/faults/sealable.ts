/** An options object that can be made unreadable. */
export interface Sealable<Options extends object> {
  readonly options: Options;
  /** From now on every read of it throws, and of every plain object and array inside it. */
  readonly seal: () => void;
}

/** Makes options for tests that check that they are copied, and not read again. */
export function sealable<Options extends object>(given: Options): Sealable<Options> {
  let isSealed = false;
  const made = new Map<object, object>();
  const wrap = (value: object): object => {
    const known = made.get(value);
    if (known !== undefined) return known;
    const look =
      <Args extends readonly [object, ...PropertyKey[]], Result>(reflect: (...args: Args) => Result) =>
      (...args: Args): Result => {
        const [, name] = args;
        if (isSealed) throw new Error(`an option was read after it was given: ${String(name)}`);
        return reflect(...args);
      };
    const proxy = new Proxy(value, {
      get: look((target: object, name: PropertyKey) => Reflect.get(target, name) as unknown),
      has: look((target: object, name: PropertyKey) => Reflect.has(target, name)),
      ownKeys: look((target: object) => Reflect.ownKeys(target)),
      getOwnPropertyDescriptor: look((target: object, name: PropertyKey) =>
        Reflect.getOwnPropertyDescriptor(target, name),
      ),
    });
    made.set(value, proxy);
    return proxy;
  };
  const deep = (value: unknown): unknown => {
    if (Array.isArray(value)) return wrap(value.map(deep));
    if (typeof value !== "object" || value === null || Object.getPrototypeOf(value) !== Object.prototype) return value;
    return wrap(Object.fromEntries(Object.entries(value).map(([name, part]) => [name, deep(part)])));
  };
  return {
    options: deep(given) as Options,
    seal: () => {
      isSealed = true;
    },
  };
}
