import { createHash } from "node:crypto";
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { gzipSync } from "node:zlib";
import react from "@vitejs/plugin-react";
import type { Plugin } from "vite";
import { defineConfig } from "vitest/config";
import { conceptsOfTheContract } from "./concepts.ts";

/** Leaves only gzip files and manifest.json in the output folder. The manifest
 * names each file with its plain size and SHA-256: ui.go serves from it, and
 * scripts/compare.mjs compares by it, since gzip bytes differ between zlibs. */
function pack(): Plugin {
  let folder = "";
  return {
    name: "linchpin-pack",
    apply: "build",
    configResolved(config) {
      folder = resolve(config.root, config.build.outDir);
    },
    closeBundle: {
      order: "post",
      handler() {
        const files: Record<string, { bytes: number; sha256: string }> = {};
        const names = readdirSync(folder, { recursive: true, withFileTypes: true })
          .filter((entry) => entry.isFile())
          .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1).replaceAll("\\", "/"))
          .sort();
        for (const name of names) {
          const content = readFileSync(join(folder, name));
          files[name] = { bytes: content.length, sha256: createHash("sha256").update(content).digest("hex") };
          writeFileSync(join(folder, `${name}.gz`), gzipSync(content, { level: 9 }));
          rmSync(join(folder, name));
        }
        writeFileSync(join(folder, "manifest.json"), `${JSON.stringify(files, null, 2)}\n`);
      },
    },
  };
}

export default defineConfig({
  plugins: [react(), conceptsOfTheContract(), pack()],
  worker: { format: "es" },
  optimizeDeps: {
    // The workers' CommonJS dependencies, which the dev server cannot find through ?worker.
    include: [
      "graphql",
      "monaco-graphql > graphql-language-service",
      "monaco-graphql > picomatch-browser",
    ],
  },
  server: { proxy: { "/graphql": { target: "http://127.0.0.1:8080", ws: true } } },
  build: {
    outDir: "../../internal/server/ui/dist",
    emptyOutDir: true,
    target: "es2022",
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 4000,
    license: { fileName: "licenses.md" },
    rolldownOptions: {
      onwarn(warning, warn) {
        // "use no memo" is for the React compiler, which is not used here.
        if (warning.code !== "MODULE_LEVEL_DIRECTIVE") warn(warning);
      },
      output: {
        // Stable groups keep a one-word edit here from renaming the large files,
        // and a page that needs only React or graphql from loading GraphiQL.
        codeSplitting: {
          groups: [
            { name: "preload", test: /vite[\\/]preload-helper|rolldown[\\/]runtime/, priority: 4 },
            { name: "react", test: /node_modules[\\/](react|react-dom|scheduler)[\\/]/, priority: 3 },
            { name: "graphql", test: /node_modules[\\/]graphql[\\/]/, priority: 2 },
            // All the rest that GraphiQL loads at once; Monaco and Prettier come when asked for.
            { name: "graphiql", test: /node_modules[\\/](?!monaco-|prettier)/, priority: 1 },
          ],
        },
      },
    },
  },
  test: { environment: "node", include: ["src/**/*.test.ts"], testTimeout: 60_000 },
});
