/** Where the published contracts are. In a file at this depth because it holds for `dist/` as well. */
export const PROTO_FOLDER: URL = new URL("../proto/", import.meta.url);
