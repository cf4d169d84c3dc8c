import { render } from "preact";
import { App } from "./app.tsx";
import { startRouting } from "./state/route.ts";
import { loadSession } from "./state/session.ts";

startRouting();
void loadSession();
const root = document.getElementById("app");
if (root !== null) render(<App />, root);
