// SPDX-License-Identifier: MIT
import polyfill from "event-source-polyfill";

import { follow } from "./follow.mjs";

follow(polyfill.EventSourcePolyfill, process.argv.slice(2));
