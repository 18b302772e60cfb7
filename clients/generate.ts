import { execFile } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const run = promisify(execFile);
const folder = fileURLToPath(new URL(".", import.meta.url));

/** Where the contract lies for the compilers, as the server gave it. */
const SDL = fileURLToPath(new URL("__generated__/schema.graphql", import.meta.url));

/** Lets relay-compiler and graphql-codegen write what the apps in relay/ and codegen/ import. */
export async function generate(server: string) {
  const response = await fetch(`${server}/schema.graphql`);
  mkdirSync(dirname(SDL), { recursive: true });
  writeFileSync(SDL, await response.text());
  await Promise.all([
    run(process.execPath, ["node_modules/relay-compiler/cli.js", "relay.config.json"], { cwd: folder }),
    run(process.execPath, ["node_modules/@graphql-codegen/cli/cjs/bin.js", "--config", "codegen/codegen.ts"], { cwd: folder }),
  ]);
}
