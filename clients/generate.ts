import { execFile } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
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

/** Lets the compilers write what the apps in relay/ and codegen/ import, and the manifests of persisted/. */
export async function generate(server: string) {
  const response = await fetch(`${server}/schema.graphql`);
  mkdirSync(dirname(SDL), { recursive: true });
  writeFileSync(SDL, await response.text());
  rmSync(`${folder}persisted/__generated__`, { recursive: true, force: true }); // relay-compiler adds nothing for an artifact that is there
  for (const wanted of ["relay/__generated__", "persisted/__generated__/relay"]) mkdirSync(folder + wanted, { recursive: true }); // by relay-compiler
  writeFileSync(`${folder}persisted/__generated__/relay.json`, "{}");
  await Promise.all([
    run("relay-compiler/cli.js", "relay.config.json"),
    run("relay-compiler/cli.js", "persisted/relay.config.json"),
    run("@apollo/generate-persisted-query-manifest/cli.js", "--config", "persisted/apollo.config.json"),
    run("@graphql-codegen/cli/cjs/bin.js", "--config", "codegen/codegen.ts"),
  ]);
}
