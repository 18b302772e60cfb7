import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { ApolloClient, HttpLink, InMemoryCache } from "@apollo/client";
import { createPersistedQueryLink } from "@apollo/client/link/persisted-queries";
import { generatePersistedQueryIdsFromManifest } from "@apollo/persisted-query-lists";
import { Environment, fetchQuery, Network, RecordSource, Store } from "relay-runtime";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { recorder } from "../recorder";
import { serve } from "../server";
import viewerQuery, { type viewerQuery as ViewerQuery } from "./__generated__/relay/viewerQuery.graphql";
import { CLASSES } from "./apollo/queries";
import { Roles } from "./codegen";

const made = fileURLToPath(new URL("__generated__", import.meta.url));
const APOLLO = join(made, "apollo.json");
const folder = mkdtempSync(join(tmpdir(), "linchpin-persisted-"));
let url = "";
let stop: () => Promise<void>;

// Nothing but what the three manifests hold is answered.
beforeAll(async () => {
  const manifests = [join(made, "relay.json"), APOLLO, join(made, "codegen/persisted-documents.json")].flatMap((path) => ["--manifest", path]);
  const server = await serve(inject("program"), "--demo", "--database", `sqlite:${join(folder, "linchpin.db")}`, "--trusted-documents", "only", ...manifests);
  ({ stop } = server);
  url = `${server.address}/graphql`;
});

afterAll(async () => {
  await stop();
  rmSync(folder, { recursive: true, force: true });
});

async function post(body: object) {
  const response = await fetch(url, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
  return response.json() as Promise<{ data?: unknown; errors?: { extensions: { code: string } }[] }>;
}

test("a document of no manifest is refused", async () => {
  expect((await post({ query: "{ revision }" })).errors).toMatchObject([{ extensions: { code: "FORBIDDEN" } }]);
  expect((await post({ documentId: "none" })).errors).toMatchObject([{ extensions: { code: "PERSISTED_QUERY_NOT_FOUND" } }]);
});

test("Relay asks by the id that its compiler wrote into the artifact", async () => {
  const environment = new Environment({
    network: Network.create(async ({ id, text }, variables) => {
      expect(text).toBeNull();
      return post({ documentId: id, variables }) as never;
    }),
    store: new Store(new RecordSource()),
  });
  const data = await fetchQuery<ViewerQuery>(environment, viewerQuery, {}).toPromise();
  expect(data?.viewer?.name).toBe("dev");
});

test.each([[false, "POST"], [true, "GET"]])("Apollo asks by the ids of its manifest, by GET: %s", async (useGETForHashedQueries, method) => {
  const { fetch, requests } = recorder();
  const ids = generatePersistedQueryIdsFromManifest({ loadManifest: async () => JSON.parse(readFileSync(APOLLO, "utf8")) });
  const link = createPersistedQueryLink({ ...ids, useGETForHashedQueries }).concat(new HttpLink({ uri: url, fetch }));
  const client = new ApolloClient({ link, cache: new InMemoryCache() });
  const { data } = await client.query<{ ciClasses: { nodes: { code: string; description: string }[] } }>({ query: CLASSES, variables: { first: 3 } });
  expect(data?.ciClasses.nodes).toHaveLength(3);
  expect(requests).toMatchObject([{ method, status: 200 }]);
  expect(requests[0]!.body + requests[0]!.url.search).not.toContain("ciClasses");
});

test("a document of graphql-codegen's preset is asked by its hash, and cached by GET", async () => {
  const { hash } = (Roles as unknown as { __meta__: { hash: string } }).__meta__;
  expect(await post({ documentId: hash })).toMatchObject({ data: { viewer: { roles: ["ADMIN"] } } });
  const byGet = (headers: Record<string, string> = {}) => fetch(`${url}?documentId=${hash}`, { headers });
  const first = await byGet();
  expect(first.headers.get("cache-control")).toBe("private, no-cache");
  const tag = first.headers.get("etag")!;
  const again = await byGet({ "If-None-Match": tag });
  expect([again.status, await again.text()]).toEqual([304, ""]);
  const other = await byGet({ "If-None-Match": tag, "Linchpin-Roles": "VIEWER" });
  expect([other.status, await other.json()]).toMatchObject([200, { data: { viewer: { roles: ["VIEWER"] } } }]);
});
