/**
 * Has a page show files as they are: what stands in the fence behind `<!-- file: some/path -->` becomes the file's text.
 *
 * @param read gives the text of a file, by its path from the root
 */
export function includeFiles(page: string, read: (path: string) => string): string {
  return page.replaceAll(
    /^(<!-- file: (\S+) -->\n+```\w+\n).*?^```$/gms,
    (_match, opening: string, path: string) => `${opening}${read(path).trimEnd()}\n\`\`\``,
  );
}
