// Backstage's catalog over a PostgreSQL database, for benchmarks beside it:
//
//   node backstage/serve.mjs 'postgres://USER@HOST/NAME?host=FOLDER' PORT ENTITIES
//
// ENTITIES is a YAML file of entities, which a provider brings in once. It prints its address when it answers (port 0
// takes a free one), and ends with SIGTERM. Whoever reaches it may read.
import { readFileSync, writeFileSync, mkdtempSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseAllDocuments } from "yaml";

const [database, wanted, file] = process.argv.slice(2);
if (!database || !wanted || !file) {
  console.error("usage: node backstage/serve.mjs DATABASE PORT ENTITIES");
  process.exit(2);
}

const text = readFileSync(file, "utf8");
process.chdir(import.meta.dirname); // Backstage looks for the package.json of its app

const port = await new Promise((found) => {
  const taken = createServer().listen(Number(wanted), "127.0.0.1", () => {
    const { port } = taken.address();
    taken.close(() => found(port));
  });
});
const address = new URL(database.replace("@/", "@localhost/")); // the host may be a folder of sockets
const config = {
  app: { baseUrl: "http://localhost" },
  organization: { name: "bench" },
  backend: {
    baseUrl: `http://127.0.0.1:${port}`,
    listen: `127.0.0.1:${port}`,
    auth: { dangerouslyDisableDefaultAuthPolicy: true },
    database: {
      client: "pg",
      pluginDivisionMode: "schema",
      ensureExists: false,
      ensureSchemaExists: true,
      connection: {
        host: address.searchParams.get("host") ?? address.hostname,
        port: Number(address.port || address.searchParams.get("port") || 5432),
        user: address.username,
        password: address.password,
        database: address.pathname.slice(1),
      },
    },
  },
  catalog: { processingInterval: { hours: 24 }, rules: [{ allow: ["Component", "Resource", "API", "System", "Domain", "Group", "User"] }] },
};
const folder = mkdtempSync(join(tmpdir(), "backstage-"));
writeFileSync(join(folder, "app-config.json"), JSON.stringify(config));
process.argv.push("--config", join(folder, "app-config.json"));
process.env.NODE_ENV = "production";
process.env.LOG_LEVEL ??= "error";

const { createBackend } = await import("@backstage/backend-defaults");
const { createBackendModule } = await import("@backstage/backend-plugin-api");
const { catalogProcessingExtensionPoint } = await import("@backstage/plugin-catalog-node");

const entities = parseAllDocuments(text).map((document) => document.toJS());
const place = { "backstage.io/managed-by-location": "url:bench", "backstage.io/managed-by-origin-location": "url:bench" };
const backend = createBackend();
backend.add(import("@backstage/plugin-catalog-backend"));
backend.add(
  createBackendModule({
    pluginId: "catalog",
    moduleId: "bench",
    register(env) {
      env.registerInit({
        deps: { catalog: catalogProcessingExtensionPoint },
        async init({ catalog }) {
          catalog.addEntityProvider({
            getProviderName: () => "bench",
            async connect(connection) {
              await connection.applyMutation({
                type: "full",
                entities: entities.map((entity) => ({
                  entity: { ...entity, metadata: { ...entity.metadata, annotations: { ...place, ...entity.metadata.annotations } } },
                  locationKey: "bench",
                })),
              });
            },
          });
        },
      });
    },
  }),
);
try {
  await backend.start();
} catch (error) {
  console.error(error);
  process.exit(1);
}
console.log(`Catalog    http://127.0.0.1:${port}/api/catalog`);
