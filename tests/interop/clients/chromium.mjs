// SPDX-License-Identifier: MIT
import { inPage } from "./page.mjs";
import { talk } from "./standard.mjs";

await inPage(talk, "WebSocket", process.argv.slice(2));
