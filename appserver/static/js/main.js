/** Starts the client: views on the page, the address opened, the hook for labs. */

import { html, render } from "../vendor/preact.js";
import { watchServer } from "./health.js";
import { exposeHook } from "./lab.js";
import { watchDevices } from "./local.js";
import { followNews } from "./news.js";
import { wakeOnGesture } from "./meter.js";
import { request } from "./request.js";
import { currentCall, openAddress } from "./screens.js";
import { App } from "./views/app.js";

const root = document.getElementById("app");
if (!root) throw new Error("index.html has no #app");

root.replaceChildren();
render(html`<${App} />`, root);
exposeHook();
wakeOnGesture();
watchDevices();
followNews();
watchServer((path) => request("GET", path));
addEventListener("popstate", () => void openAddress());
// Leaving at once spares the others the seconds until the session is given up. A page that comes back from the cache finds itself outside.
addEventListener("pagehide", () => currentCall()?.leave());
void openAddress();
