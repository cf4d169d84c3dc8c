/** The page: what is always there, and the view between it. */
import { useLayoutEffect, useRef } from "preact/hooks";
import { Notice, Text } from "./parts/basics.tsx";
import { duration } from "./parts/format.ts";
import { heardAt, isConnected, isSilent, look, lookInfo, seconds, trouble } from "./state/live.ts";
import { type Route, route } from "./state/route.ts";
import { session, sessionTrouble, signOut } from "./state/session.ts";
import { DoctorView } from "./views/doctor.tsx";
import { GroupView } from "./views/group.tsx";
import { LogView } from "./views/log.tsx";
import { Overview } from "./views/overview.tsx";
import { SignIn } from "./views/sign-in.tsx";

export function App() {
  const here = route.value;
  const who = session.value;
  const place = here.view === "group" ? JSON.stringify([here.stream, here.group]) : here.view;
  const isFirst = useRef(true);
  useLayoutEffect(() => {
    document.title = titleOf(here);
    // The next Tab begins where the reading does. The tabs of a group keep the focus, like those of any page.
    if (!isFirst.current) {
      scrollTo(0, 0);
      document.querySelector<HTMLElement>("main h1")?.focus({ preventScroll: true });
    }
    isFirst.current = false;
  }, [place]);
  if (who === null) {
    return (
      <main class="centred">
        <h1 tabIndex={-1}>Redis Batch</h1>
        <p role="status">{sessionTrouble.value ?? "Loading…"}</p>
      </main>
    );
  }
  if (who.user === null) return <SignIn how={who.how} />;
  return (
    <>
      <a class="skip" href="#main" onClick={skip}>
        Skip to the contents
      </a>
      <header class="top">
        <a class="brand" href="#/">
          <svg viewBox="0 0 32 32" aria-hidden="true">
            <rect class="tile" width="32" height="32" rx="7" />
            <rect x="7" y="8" width="18" height="4" rx="2" />
            <rect x="7" y="14" width="18" height="4" rx="2" opacity=".75" />
            <rect x="7" y="20" width="11" height="4" rx="2" opacity=".5" />
          </svg>
          Redis Batch
        </a>
        <nav aria-label="Views">
          <Tab to="#/" name="Groups" isHere={here.view === "overview" || here.view === "group"} />
          <Tab to="#/log" name="Actions" isHere={here.view === "log"} />
          <Tab to="#/doctor" name="Doctor" isHere={here.view === "doctor"} />
        </nav>
        <div class="right">
          <Pulse />
          <span
            class="who"
            title={
              who.mayAct
                ? "May pause groups, change their rates, and redrive and discard dead letters"
                : "May only look"
            }
          >
            {who.how === "anyone" ? "" : <Text of={who.user} />}
            {who.mayAct ? "" : <span class="tag">read-only</span>}
          </span>
          {who.how === "tokens" && (
            <button type="button" class="plain" onClick={() => void signOut()}>
              Sign out
            </button>
          )}
        </div>
      </header>
      <main id="main">
        <News />
        <View of={here} />
      </main>
    </>
  );
}

function skip(event: Event): void {
  event.preventDefault();
  document.querySelector<HTMLElement>("main h1")?.focus();
}

function Tab({ to, name, isHere }: { readonly to: string; readonly name: string; readonly isHere: boolean }) {
  return (
    <a href={to} aria-current={isHere ? "page" : undefined}>
      {name}
    </a>
  );
}

/** Whether what is shown is fresh. */
function Pulse() {
  void seconds.value;
  const agoMs = performance.now() - heardAt.value;
  const isLive = isConnected.value && !isSilent.value && trouble.value === null;
  return (
    <span class={`pulse ${isLive ? "live" : "stale"}`}>
      <i aria-hidden="true" />
      {isLive ? "Live" : look.value === 0 ? "Connecting" : `${duration(agoMs)} old`}
    </span>
  );
}

/** Why there is no news, or what could not be looked at. */
function News() {
  void seconds.value;
  if (!isConnected.value && look.value > 0) {
    return (
      <Notice tone="bad">
        The connection to the dashboard's server is cut. It comes back by itself; until then this is old.
      </Notice>
    );
  }
  if (trouble.value !== null) {
    return (
      <Notice tone="bad">
        Redis cannot be read: <Text of={trouble.value.message} />. Trying again; until then this is old.
      </Notice>
    );
  }
  const troubles = lookInfo.value?.troubles ?? [];
  if (troubles.length === 0) return null;
  return (
    <Notice tone="warn">
      {troubles.slice(0, 5).map((text) => (
        <div key={text}>
          <Text of={text} />
        </div>
      ))}
      {troubles.length > 5 && <div>… and {troubles.length - 5} more.</div>}
    </Notice>
  );
}

function View({ of }: { readonly of: Route }) {
  switch (of.view) {
    case "overview":
      return <Overview />;
    case "group":
      return <GroupView key={JSON.stringify([of.stream, of.group])} {...of} />;
    case "log":
      return <LogView />;
    case "doctor":
      return <DoctorView />;
    case "unknown":
      return (
        <>
          <h1 tabIndex={-1}>There is nothing at this address</h1>
          <p>
            <a href="#/">All groups</a>
          </p>
        </>
      );
  }
}

function titleOf(here: Route): string {
  if (here.view === "group") return `${here.group} of ${here.stream} · Redis Batch`;
  return `${{ overview: "Groups", log: "Actions", doctor: "Doctor", unknown: "Not found" }[here.view]} · Redis Batch`;
}
