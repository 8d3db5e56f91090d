// SPDX-License-Identifier: MIT
import WebSocket from "ws";
import Returning from "reconnecting-websocket";

import { talk } from "./standard.mjs";

talk(Returning, process.argv.slice(2), { WebSocket });
