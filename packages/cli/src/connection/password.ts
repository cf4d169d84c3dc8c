/** Gets a password from where it is kept. It is never printed, and no error quotes it. */
import { Failure } from "../failure.ts";
import { readPasswordFile } from "./files.ts";
import type { PasswordSource } from "./place.ts";

type Env = Readonly<Record<string, string | undefined>>;

export async function readPassword(source: PasswordSource, env: Env): Promise<string | undefined> {
  switch (source.kind) {
    case "none":
      return undefined;
    case "text":
      return source.password;
    case "env":
      return fromEnv(source.name, env);
    case "file":
      return readPasswordFile(source.path);
    case "ask":
      return ask();
  }
}

function fromEnv(name: string, env: Env): string {
  const password = env[name];
  if (password === undefined || password === "") {
    throw new Failure("usage", `the context reads the password from ${name}, which is not set`, `set ${name}`);
  }
  return password;
}

async function ask(): Promise<string> {
  const { stdin, stderr } = process;
  if (!stdin.isTTY) {
    throw new Failure(
      "usage",
      "there is no terminal to ask for the password",
      "set REDIS_PASSWORD or use --password-file",
    );
  }
  // Before the prompt is shown: what is typed right then must not be echoed either.
  stdin.setRawMode(true);
  stderr.write("Password: ");
  try {
    return await readHidden(stdin);
  } finally {
    stdin.setRawMode(false);
    stdin.pause();
    stderr.write("\n");
  }
}

function readHidden(stdin: NodeJS.ReadStream): Promise<string> {
  return new Promise((resolve, reject) => {
    let typed = "";
    const onData = (chunk: Buffer): void => {
      for (const character of chunk.toString()) {
        if (character === "\r" || character === "\n") return end(() => resolve(typed));
        if (character === "\u0003" || character === "\u0004") {
          return end(() => reject(new Failure("interrupted", "no password was given")));
        }
        typed = character === "\u007f" || character === "\b" ? typed.slice(0, -1) : typed + character;
      }
    };
    const end = (settle: () => void): void => {
      stdin.off("data", onData);
      settle();
    };
    stdin.on("data", onData);
  });
}
