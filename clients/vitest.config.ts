import { fileURLToPath } from "node:url";
import { transformAsync } from "@babel/core";
import type { Plugin } from "vite";
import { defineConfig } from "vitest/config";

/** Turns graphql`…` into the documents that relay-compiler made, as an app's own build does. */
const relay: Plugin = {
  name: "relay",
  async transform(code, id) {
    if (!code.includes("graphql`") || !id.includes("/relay/")) return null;
    const made = await transformAsync(code, {
      filename: id,
      babelrc: false,
      configFile: false,
      sourceMaps: true,
      // Its warning of stale documents compares them as graphql 15 prints them.
      plugins: [["relay", { eagerEsModules: true, artifactDirectory: "relay/__generated__", isDevVariableName: "undefined" }]],
    });
    return { code: made?.code ?? code, map: made?.map };
  },
};

export default defineConfig({
  test: {
    projects: [
      "graphiql/vite.config.ts",
      {
        plugins: [relay],
        // The copy that Node gives to libraries: two copies do not know each other's types.
        resolve: { alias: [{ find: /^graphql$/, replacement: fileURLToPath(import.meta.resolve("graphql")) }] },
        test: {
          name: "clients",
          environment: "node",
          include: ["*/*.test.{ts,tsx}"],
          exclude: ["graphiql/**", "node_modules/**"],
          globalSetup: "server.ts",
          testTimeout: 120_000,
          hookTimeout: 120_000,
          expect: { poll: { timeout: 60_000 } },
        },
      },
    ],
  },
});
