/**
 * Where the source is published: the one place that the documentation and the release take addresses from, such as
 * `"https://git.example/redis-batch"`. `null` as long as there is no public address: then a link to a file of the repository
 * is shown as text, and package.json names no repository.
 */
const REPOSITORY: string | null = null;

/** The address of a file of the repository, or `null`. */
export function addressOf(path: string, repository: string | null = REPOSITORY): string | null {
  return repository === null ? null : `${repository}/blob/main/${path}`;
}

/** What the registry is told of where a package comes from. */
export interface Origin {
  readonly repository: { readonly type: "git"; readonly url: string; readonly directory: string };
  readonly homepage: string;
  readonly bugs: string;
}

/** The fields of a package's package.json, or none. @param directory relative to the repository */
export function originOf(directory: string, repository: string | null = REPOSITORY): Origin | Record<string, never> {
  if (repository === null) return {};
  return {
    repository: { type: "git", url: `git+${repository}.git`, directory },
    homepage: `${repository}/tree/main/${directory}#readme`,
    bugs: `${repository}/issues`,
  };
}
