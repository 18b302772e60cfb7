// Builds into a temporary folder and compares with the committed dist, by
// decompressed content. Exit 1 with the names of the files that differ.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";

const root = fileURLToPath(new URL("..", import.meta.url));
const dist = fileURLToPath(new URL("../../../internal/server/ui/dist", import.meta.url));
const fresh = mkdtempSync(join(tmpdir(), "linchpin-ui-"));

/** Maps each file of a dist folder to the hash of its content, read from the files themselves. */
function contents(folder) {
  const files = new Map();
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    const bytes = readFileSync(path);
    const plain = path.endsWith(".gz") ? gunzipSync(bytes) : bytes;
    files.set(path.slice(folder.length + 1), createHash("sha256").update(plain).digest("hex"));
  }
  return files;
}

try {
  const vite = join(root, "../node_modules/vite/bin/vite.js");
  execFileSync(process.execPath, [vite, "build", "--logLevel", "error", "--outDir", fresh], { cwd: root, stdio: ["ignore", "ignore", "inherit"] });
  const built = contents(fresh);
  const committed = contents(dist);
  const names = [...new Set([...built.keys(), ...committed.keys()])].sort();
  const differing = names.filter((name) => built.get(name) !== committed.get(name));
  for (const name of differing) {
    const why = !committed.has(name) ? "not committed" : !built.has(name) ? "no longer built" : "differs";
    console.error(`dist/${name}: ${why}`);
  }
  if (differing.length > 0) {
    console.error("dist does not match its sources: run `npm run build` and commit dist.");
    process.exitCode = 1;
  } else {
    console.log(`dist matches its sources: ${names.length} files.`);
  }
} finally {
  rmSync(fresh, { recursive: true, force: true });
}
