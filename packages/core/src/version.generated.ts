// The version that all packages share. Written by `pnpm generate` from package.json.
export const VERSION = "0.0.0";
