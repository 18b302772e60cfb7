import { mkdtempSync, rmSync } from "node:fs";
import { connect, createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createClient as createSSEClient } from "graphql-sse";
import { createClient as createWSClient } from "graphql-ws";
import { afterAll, expect, inject, test, vi } from "vitest";
import { WebSocket } from "ws";
import { serve } from "../server";

const folder = mkdtempSync(join(tmpdir(), "linchpin-restart-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Stands before the servers as a balancer does: it takes connections while
 * none is there, and passes them on to the next. graphql-ws in Node does not
 * come back to an address that refuses it. */
async function balancer(port: () => number): Promise<{ address: string; close: () => void }> {
  const server = createServer((client) => {
    client.on("error", () => client.destroy());
    const pass = () => {
      const up = connect(port(), "127.0.0.1");
      up.once("connect", () => client.pipe(up).pipe(client));
      up.once("error", () => (up.readyState === "open" || client.destroyed ? client.destroy() : setTimeout(pass, 50)));
      client.once("close", () => up.destroy());
    };
    pass();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { address: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, close: () => void server.close() };
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
  const settings = ["--database", `sqlite:${join(folder, "linchpin.db")}`, "--drain-delay", "0s"];
  let server = await serve(inject("program"), ...settings);
  const before = await balancer(() => Number(new URL(server.address).port));
  const url = `${before.address}/graphql`;
  const ask = async (query: string, headers = {}) => {
    const response = await fetch(`${server.address}/graphql`, { method: "POST", headers: { "Content-Type": "application/json", ...headers }, body: JSON.stringify({ query }) });
    const answer = (await response.json()) as { data: any; errors?: unknown };
    expect(answer.errors, query).toBeUndefined();
    return answer.data;
  };
  const write = async (name: string) => {
    const { createTeam } = await ask(`mutation { createTeam(input: { name: "${name}" }) { team { id } userErrors { message } } }`, { "Idempotency-Key": name.replaceAll(" ", "-") });
    expect(createTeam.userErrors).toEqual([]);
  };
  const { revision } = await ask("{ revision }");

  const heard: Record<string, Set<number>> = {};
  const ended: string[] = [];
  const stops = Object.entries(clients).map(([name, subscribe]) => {
    heard[name] = new Set();
    return subscribe(url, { after: revision }, {
      next: ({ data }) => {
        expect(data.journal.resync).toBeNull();
        heard[name]?.add(data.journal.revision);
      },
      error: (cause) => ended.push(`${name}: ${cause instanceof Error ? cause.message : JSON.stringify(cause)}`),
      complete: () => ended.push(`${name} is complete`),
    });
  });
  const allHeard = (upTo: number) =>
    vi.waitFor(() => {
      const wanted = Array.from({ length: upTo - revision }, (_, i) => revision + 1 + i);
      for (const name of Object.keys(clients)) expect([...(heard[name] ?? [])].sort((a, b) => a - b), `${name}; ${ended.join()}`).toEqual(wanted);
    }, { timeout: 60_000, interval: 100 });

  await write("before");
  await allHeard(revision + 1);
  for (const deploy of [1, 2]) {
    await write(`while deploy ${deploy} begins`);
    await server.stop();
    server = await serve(inject("program"), ...settings);
    await write(`after deploy ${deploy}`); // before the clients are back
    await allHeard(revision + 1 + 2 * deploy);
  }
  expect(ended).toEqual([]);
  for (const stop of stops) stop();
  before.close();
  await server.stop();
});
