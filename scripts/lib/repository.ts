/**
 * Where the source is published: the one place that the documentation and the release take addresses from. `null` as long
 * as there is no public address; then a link to a file of the repository is shown as text, and package.json names none.
 */
const REPOSITORY: string | null = null;

/** The address of a file of the repository, or `null`. */
export function addressOf(path: string, repository: string | null = REPOSITORY): string | null {
  return repository === null ? null : `${repository}/blob/main/${path}`;
}
