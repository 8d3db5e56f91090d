// SPDX-License-Identifier: MIT
import WebSocket from "isomorphic-ws";

import { talk } from "./standard.mjs";

talk(WebSocket, process.argv.slice(2));
