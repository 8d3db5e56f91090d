// SPDX-License-Identifier: MIT
import WebSocket from "ws";
import { WebSocket as Returning } from "partysocket";

import { talk } from "./standard.mjs";

talk(Returning, process.argv.slice(2), { WebSocket });
