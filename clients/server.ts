import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { TestProject } from "vitest/node";
import { generate } from "./generate";

declare module "vitest" {
  interface ProvidedContext {
    /** Where the server is, without a slash at the end. */
    server: string;
    /** The program itself, for tests that start it with settings of their own. */
    program: string;
  }
}

/** How many CIs named row-0000, row-0001, … stand beside the demo estate. */
export const ROWS = 2000;

const repository = fileURLToPath(new URL("..", import.meta.url));

/** Starts a server of its own, and says where it is and how to stop it. */
export async function serve(program: string, ...options: string[]) {
  const server = spawn(program, ["serve", "--dev", "--listen", "127.0.0.1:0", ...options], { stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  server.stderr.on("data", (text) => (said += text));
  const ended = new Promise<void>((resolve) => server.once("exit", () => resolve()));
  const address = await new Promise<string>((resolve, reject) => {
    createInterface(server.stdout).on("line", (line) => {
      if (line.startsWith("GraphiQL ")) resolve(line.slice("GraphiQL ".length).trim().replace(/\/$/, ""));
    });
    server.once("exit", (code) => reject(new Error(`linchpin serve ended with ${code}: ${said}`)));
  });
  const stop = () => {
    server.kill("SIGTERM");
    return ended;
  };
  return { address, stop };
}

/** Starts one real server for all tests: the program as it is built, a database of its own, the demo estate and ROWS
 * more CIs. Each test writes records of its own only. */
export default async function setup(project: TestProject) {
  const folder = mkdtempSync(join(tmpdir(), "linchpin-clients-"));
  const program = join(folder, "linchpin");
  execFileSync("go", ["build", "-o", program, "./cmd/linchpin"], { cwd: repository, stdio: ["ignore", "ignore", "inherit"] });
  const database = ["--database", `sqlite:${join(folder, "linchpin.db")}`];

  const { address, stop: end } = await serve(program, "--demo", ...database);
  const stop = async () => {
    await end();
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    const names = Array.from({ length: ROWS }, (_, i) => `row-${String(i).padStart(4, "0")}`);
    const estate = join(folder, "rows.yaml");
    writeFileSync(estate, `defaults: {class: virtual_machine}\ncis:\n${names.map((name) => `  ${name}: {}\n`).join("")}`);
    execFileSync(program, ["import", "estate", estate, ...database], { stdio: ["ignore", "ignore", "inherit"] });
    await generate(address);
  } catch (failed) {
    await stop();
    throw failed;
  }
  project.provide("server", address);
  project.provide("program", program);
  return stop;
}
