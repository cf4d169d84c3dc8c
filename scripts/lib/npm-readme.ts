/** The README of a package as the registry shows it: alone, without the files around it. Pure. */
import { rewriteLinks } from "../../docs/site/markdown.ts";

/**
 * Makes the links to other files of the repository addresses, where it has one; else their text stays without a link. The
 * same goes for pictures: without an address, only what a picture shows is said.
 *
 * @param source the README's path in the repository
 * @param addressOf the address of a file of the repository, or `null`
 */
export function npmReadme(markdown: string, source: string, addressOf: (path: string) => string | null): string {
  const withoutPictures = markdown.replaceAll(
    /!\[([^\]]*)\]\((?!https?:)([^)\s]+)\)/g,
    (whole, about: string, path: string) => (addressOf(path) === null ? `*${about}*` : whole),
  );
  return rewriteLinks(withoutPictures, source, {
    link: (path, anchor) => {
      const hash = anchor === "" ? "" : `#${anchor}`;
      if (path === source) return hash;
      const address = addressOf(path);
      return address === null ? null : `${address}${hash}`;
    },
    picture: (path) => addressOf(path) ?? path,
  });
}

/** The links and pictures of a README that lead to a file: on the registry they are dead. */
export function deadLinks(markdown: string): string[] {
  const links = [...markdown.replaceAll(/^```[^]*?^```$/gm, "").matchAll(/\]\((?!https?:|mailto:|#)([^)\s]+)\)/g)];
  return links.map(([, link = ""]) => link);
}
