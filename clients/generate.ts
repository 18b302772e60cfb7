import { execFile } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const folder = fileURLToPath(new URL(".", import.meta.url));

/** Runs a compiler. Under NODE_ENV=test codegen would not say what is wrong. */
async function run(program: string, ...args: string[]) {
  const options = { cwd: folder, env: { ...process.env, NODE_ENV: "development" } };
  await promisify(execFile)(process.execPath, [`node_modules/${program}`, ...args], options).catch((failed: { stdout: string; stderr: string }) => {
    throw new Error(`${program} failed:\n${failed.stdout}${failed.stderr}`);
  });
}

/** Where the contract lies for the compilers, as the server gave it. */
const SDL = fileURLToPath(new URL("__generated__/schema.graphql", import.meta.url));

/** Lets relay-compiler and graphql-codegen write what the apps in relay/ and codegen/ import. */
export async function generate(server: string) {
  const response = await fetch(`${server}/schema.graphql`);
  mkdirSync(dirname(SDL), { recursive: true });
  writeFileSync(SDL, await response.text());
  mkdirSync(`${folder}relay/__generated__`, { recursive: true }); // relay-compiler wants it to be there
  await Promise.all([
    run("relay-compiler/cli.js", "relay.config.json"),
    run("@graphql-codegen/cli/cjs/bin.js", "--config", "codegen/codegen.ts"),
  ]);
}
