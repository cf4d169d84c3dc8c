/** What is wrong with a tracked file's place: a type or helper lives with what gives it meaning. */
export function nameProblems(file: string): string[] {
  const vague = /(?:^|\/)src\/(?:.*\/)?((?:types|utils?|common|helpers?)\.[cm]?[jt]sx?)$/.exec(file)?.[1];
  return vague === undefined ? [] : [`${file}: ${vague} says nothing; put its parts beside what they are for`];
}

/** Text that is only true on one machine. */
export interface MachineText {
  /** What it is: `"the checkout's folder"`. */
  readonly what: string;
  readonly text: RegExp;
}

/** Home folders, as the usual systems lay them out. */
export const HOME_FOLDERS: MachineText = {
  what: "a home folder",
  text: absolute(/(?:\/(?:home|Users)\/[\w.-]+|\/root|[A-Z]:\\Users\\[\w.-]+)[/\\][\w.-]/),
};

/** A folder of this machine, when it is long enough not to be an everyday word: /srv/checkout, but not /app. */
export function folderOfThisMachine(what: string, folder: string): MachineText[] {
  if (folder.split(/[/\\]/).length < 3) return [];
  return [{ what, text: absolute(new RegExp(`${RegExp.escape(folder)}(?![\\w-])`)) }];
}

// Not in the middle of a relative path, of an address, or of "$variable"/path.
function absolute(path: RegExp): RegExp {
  return new RegExp(`(?<![\\w.$}/-])(?<![\\w}]")${path.source}`);
}

/** The lines of a file that hold one of the texts. */
export function machineProblems(file: string, content: string, texts: readonly MachineText[]): string[] {
  return content
    .split("\n")
    .flatMap((line, index) =>
      texts
        .filter(({ text }) => text.test(line))
        .map(({ what }) => `${file}:${index + 1}: names ${what}: ${line.trim().slice(0, 120)}`),
    );
}

/** The places in a lockfile that tie it to one registry. */
export function lockfileProblems(content: string): string[] {
  return content.split("\n").flatMap((line, index) =>
    // The integrity hash says what a package must be; where it comes from is the installing machine's affair.
    /\btarball:|https?:\/\/[^\s]+\.tgz/.test(line) ? [`pnpm-lock.yaml:${index + 1}: names a host: ${line.trim()}`] : [],
  );
}
