// SPDX-License-Identifier: MIT
import launchdarkly from "launchdarkly-eventsource";

const source = new launchdarkly.EventSource(process.argv[2]);

source.addEventListener("ready", () => console.log("open"));
source.addEventListener("gap", () => console.log("gap"));
source.addEventListener("message", ({ data }) => console.log("message", data));
source.addEventListener("retrying", () => console.log("closed, retrying"));
