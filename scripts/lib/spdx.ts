/**
 * Whether an SPDX expression can be satisfied with allowed licenses alone: one side of an OR will do, an AND needs both,
 * an exception (WITH) only adds permissions.
 */
export function isSatisfiedBy(expression: string, allowed: ReadonlySet<string>): boolean {
  const tokens = expression.match(/[()]|[^\s()]+/g) ?? [];
  let next = 0;

  const either = (): boolean => {
    let satisfied = both();
    while (accept("OR")) satisfied = both() || satisfied;
    return satisfied;
  };
  const both = (): boolean => {
    let satisfied = license();
    while (accept("AND")) satisfied = license() && satisfied;
    return satisfied;
  };
  const license = (): boolean => {
    if (accept("(")) {
      const satisfied = either();
      return accept(")") && satisfied;
    }
    const id = tokens[next++] ?? "";
    if (accept("WITH")) next++;
    return allowed.has(id);
  };
  const accept = (token: string): boolean => {
    if (tokens[next] !== token) return false;
    next++;
    return true;
  };

  return either() && next === tokens.length;
}
