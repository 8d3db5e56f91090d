// SPDX-License-Identifier: MIT
import { WebSocket } from "undici-6";

import { talk } from "./standard.mjs";

talk(WebSocket, process.argv.slice(2));
