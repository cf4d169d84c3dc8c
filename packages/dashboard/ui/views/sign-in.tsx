import { useState } from "preact/hooks";
import type { SessionInfo } from "../../src/gate.ts";
import { signIn } from "../state/session.ts";
import { textIn } from "./messages.tsx";

export function SignIn({ how }: { readonly how: SessionInfo["how"] }) {
  const [error, setError] = useState<string | null>(null);
  const send = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    const token = textIn(new FormData(event.currentTarget as HTMLFormElement), "token");
    setError(null);
    await signIn(token).catch((thrown: unknown) => setError(thrown instanceof Error ? thrown.message : String(thrown)));
  };
  if (how === "header") {
    return (
      <main class="centred">
        <h1 tabIndex={-1}>Not signed in</h1>
        <p>The proxy in front of this dashboard did not say who you are.</p>
      </main>
    );
  }
  return (
    <main class="centred">
      <h1 tabIndex={-1}>Redis Batch</h1>
      <form onSubmit={(event) => void send(event)}>
        <label for="token">Your token</label>
        <input id="token" name="token" type="password" autocomplete="current-password" required autofocus />
        <button type="submit" class="primary">
          Sign in
        </button>
        {error !== null && (
          <p class="problem" role="alert">
            {error}
          </p>
        )}
      </form>
    </main>
  );
}
