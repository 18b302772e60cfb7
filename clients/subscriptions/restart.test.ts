import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createClient as createSSEClient } from "graphql-sse";
import { createClient as createWSClient } from "graphql-ws";
import { afterAll, expect, inject, test, vi } from "vitest";
import { WebSocket } from "ws";
import { serve } from "../server";

const folder = mkdtempSync(join(tmpdir(), "linchpin-restart-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A port that nobody listens on. */
async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, "127.0.0.1", resolve));
  const { port } = probe.address() as AddressInfo;
  await new Promise((resolve) => probe.close(resolve));
  return port;
}

interface Sink {
  next: (answer: { data?: any }) => void;
  error: (cause: unknown) => void;
  complete: () => void;
}

const query = "subscription Writes($after: Revision) { journal(after: $after) { revision resync } }";

/** Each client as its own guide makes it, with nothing set but where the server is. */
const clients: Record<string, (url: string, variables: Record<string, unknown>, sink: Sink) => () => void> = {
  "graphql-ws": (url, variables, sink) => {
    const client = createWSClient({ url: url.replace("http", "ws"), webSocketImpl: WebSocket });
    client.subscribe({ query, variables }, sink);
    return () => void client.dispose();
  },
  "graphql-sse": (url, variables, sink) => {
    const client = createSSEClient({ url });
    client.subscribe({ query, variables }, sink);
    return () => client.dispose();
  },
};

test("subscriptions go on after a restart and miss nothing", { timeout: 120_000 }, async () => {
  const listen = ["--listen", `127.0.0.1:${await freePort()}`, "--database", `sqlite:${join(folder, "linchpin.db")}`, "--drain-delay", "0s"];
  let server = await serve(inject("program"), ...listen);
  const url = `${server.address}/graphql`;
  const ask = async (query: string) => {
    const response = await fetch(url, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ query }) });
    return ((await response.json()) as { data: any }).data;
  };
  const write = (name: string) => ask(`mutation { createTeam(input: { name: "${name}" }) { team { id } } }`);
  const { revision } = await ask("{ revision }");

  const heard: Record<string, Set<number>> = {};
  const ended: string[] = [];
  const stops = Object.entries(clients).map(([name, subscribe]) => {
    heard[name] = new Set();
    return subscribe(url, { after: revision }, {
      next: ({ data }) => {
        expect(data.journal.resync).toBeNull();
        heard[name].add(data.journal.revision);
      },
      error: (cause) => ended.push(`${name}: ${String(cause)}`),
      complete: () => ended.push(`${name} is complete`),
    });
  });
  const allHeard = (upTo: number) =>
    vi.waitFor(() => {
      const wanted = Array.from({ length: upTo - revision }, (_, i) => revision + 1 + i);
      for (const name of Object.keys(clients)) expect([...heard[name]].sort((a, b) => a - b), name).toEqual(wanted);
    }, { timeout: 60_000, interval: 100 });

  await write("before");
  await allHeard(revision + 1);
  for (const deploy of [1, 2]) {
    await write(`while deploy ${deploy} begins`);
    await server.stop();
    server = await serve(inject("program"), ...listen);
    await write(`after deploy ${deploy}`); // before the clients are back
    await allHeard(revision + 1 + 2 * deploy);
  }
  expect(ended).toEqual([]);
  for (const stop of stops) stop();
  await server.stop();
});
