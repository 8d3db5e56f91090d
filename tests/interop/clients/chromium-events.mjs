// SPDX-License-Identifier: MIT
import { follow } from "./follow.mjs";
import { inPage } from "./page.mjs";

await inPage(follow, "EventSource", process.argv.slice(2));
