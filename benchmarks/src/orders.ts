/** The messages of the benchmarks. */

/** Three fields, about 100 bytes in all, as name, value, name, value … */
export function order(index: number, noteBytes = 60): string[] {
  return [...["order", `order-${index}`, "customer", `customer-${index % 1_000}`], ...["note", "x".repeat(noteBytes)]];
}

/** The same as objects, made one by one. */
export function* ordersAsObjects(count: number): Generator<Record<string, string>> {
  const note = "x".repeat(60);
  for (let index = 0; index < count; index++) {
    yield { order: `order-${index}`, customer: `customer-${index % 1_000}`, note };
  }
}
