// SPDX-License-Identifier: MIT
import { EventSource } from "eventsource-3";

import { follow } from "./follow.mjs";

follow(EventSource, process.argv.slice(2));
