// mutants.mjs - take the checks of the token modules out, one at a time, and see
// that some test fails without each.  A mutant that no test notices is a check
// that nobody tests.
//
//	node tests/mutants/mutants.mjs [EVERY]	default 1: all; 8: every eighth
//
// The tests' objects must be built (make test-programs SUITES=unit), in
// build/testing or where MUTANTS_OF says.

import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { mutants } from "./table.mjs";

const every = Number(process.argv[2] ?? 1);
const top = join(import.meta.dirname ?? new URL(".", import.meta.url).pathname, "../..");
const built = process.env.MUTANTS_OF ?? join(top, "build/testing");
const work = mkdtempSync(join(tmpdir(), "mutants-"));
const flags = ["-std=c11", `-I${top}`, "-D_GNU_SOURCE", "-DTESTING", "-O1", "-w"];
const libraries = ["-lcmocka", "-lev", "-lwslay", "-lcrypto", "-lseccomp", "-lz", "-pthread"];

/** Compile a source with one check taken out. */
function compile({ file, old, without }, object) {
  const source = readFileSync(join(top, file), "utf8");
  const parts = source.split(old);
  if (parts.length !== 2) throw new Error(`${file}: "${old}" is there ${parts.length - 1} times`);
  const mutated = join(work, "mutant.c");
  writeFileSync(mutated, parts.join(without));
  execFileSync("cc", [...flags, "-c", "-o", object, mutated], { stdio: "inherit" });
}

/** Whether one of the tests fails with this object in the library's stead. */
function isNoticed({ tests }, object) {
  return tests.some((test) => {
    const program = join(work, "test");
    const objects = [`tests/unit/${test}.o`, "tests/support/token_maker.o", "tests/support/suite.o", "libpubsubd.a"];
    execFileSync("cc", ["-o", program, object, ...objects.map((name) => join(built, name)), ...libraries], { stdio: "inherit" });
    return spawnSync(program, { timeout: 60000 }).status !== 0;
  });
}

let survivors = 0;
try {
  for (const [i, mutant] of mutants.entries()) {
    if (i % every !== 0) continue;
    const object = join(work, "mutant.o");
    compile(mutant, object);
    if (isNoticed(mutant, object)) continue;
    survivors++;
    console.log(`nobody notices: ${mutant.file}: ${mutant.old.trim().replace(/\s+/g, " ")} -> ${mutant.without}`);
  }
} finally {
  rmSync(work, { recursive: true });
}
console.log(`${Math.ceil(mutants.length / every)} mutants, ${survivors} not noticed`);
process.exitCode = survivors > 0 ? 1 : 0;
