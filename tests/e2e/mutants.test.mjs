// mutants.test.mjs - some of the checks of the token modules, taken out one at a
// time, are missed by a test (tests/mutants has all; `make deep' tries them).

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";

test("a check that is taken out is missed", () => {
  const { status, stdout, stderr } = spawnSync(process.execPath, ["tests/mutants/mutants.mjs", "8"], { encoding: "utf8" });

  assert.equal(status, 0, stdout + stderr);
  assert.match(stdout, /^\d+ mutants, 0 not noticed$/m);
});
