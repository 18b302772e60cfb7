import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { parse, type ExecutionResult } from "graphql";
import { afterEach, expect, test, vi } from "vitest";
import { createFetcher } from "./fetcher";

const closers: (() => void)[] = [];

afterEach(() => {
  closers.splice(0).forEach((close) => close());
  vi.unstubAllGlobals();
});

async function serve(answer: (request: IncomingMessage, body: string, response: ServerResponse) => void): Promise<URL> {
  const server = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk) => (body += chunk)).on("end", () => answer(request, body, response));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closers.push(() => server.close());
  return new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/graphql`);
}

const send = async (url: URL, headers = {}) =>
  (await createFetcher(url)({ query: "{ a }", variables: { b: 1 } }, { headers })) as ExecutionResult;

test("a query is a JSON POST with the headers of the Headers editor", async () => {
  const url = await serve((request, body, response) => {
    expect(request.method).toBe("POST");
    expect(request.headers["content-type"]).toBe("application/json");
    expect(request.headers.accept).toBe("application/graphql-response+json, application/json;q=0.9");
    expect(request.headers.authorization).toBe("Bearer t");
    expect(JSON.parse(body)).toEqual({ query: "{ a }", variables: { b: 1 } });
    response.end('{"data":{"a":1},"extensions":{"revision":7}}');
  });
  expect(await send(url, { Authorization: "Bearer t" })).toEqual({ data: { a: 1 }, extensions: { revision: 7 } });
});

test("the operation is read from the text, not from the tab that was open before", async () => {
  const sent: unknown[] = [];
  const url = await serve((_, body, response) => {
    sent.push(JSON.parse(body));
    response.end('{"data":null}');
  });
  const documentAST = parse("subscription Before { a }");
  await createFetcher(url)({ query: "query Now { a }", operationName: "Before" }, { documentAST });
  await createFetcher(url)({ query: "query A { a } query B { a }", operationName: "B" }, { documentAST });
  await createFetcher(url)({ query: "{ broken", operationName: "Before" }, { documentAST });
  expect(sent).toMatchObject([{ operationName: "Now" }, { operationName: "B" }, { query: "{ broken" }]);
});

test("a refusal that is GraphQL passes as it came, whatever its status", async () => {
  const refusal = { errors: [{ message: "no", extensions: { code: "FORBIDDEN" } }] };
  const url = await serve((_, __, response) => response.writeHead(403).end(JSON.stringify(refusal)));
  expect(await send(url)).toEqual(refusal);
});

test.each([
  ["a proxy's page", "<html>Bad Gateway</html>"],
  ["JSON that is not GraphQL", '"down"'],
])("%s is an error with its status and body", async (_, body) => {
  const url = await serve((__, ___, response) => response.writeHead(502, "Bad Gateway").end(body));
  expect(await send(url)).toEqual({ errors: [{ message: "HTTP 502 Bad Gateway", extensions: { body } }] });
});

test("a server that is gone is an error, not an exception", async () => {
  const answer = await send(new URL("http://127.0.0.1:1/graphql"));
  expect(answer.errors?.[0]?.message).toMatch(/^No answer from \/graphql: /);
});

/** Speaks the server's half of graphql-transport-ws. */
function stubSocket(respond: (message: { type: string; id?: string; payload?: unknown }, socket: FakeSocket) => void) {
  class Socket extends FakeSocket {
    send(text: string) {
      respond(JSON.parse(text), this);
    }
  }
  vi.stubGlobal("WebSocket", Socket);
  vi.stubGlobal("CloseEvent", Event);
}

class FakeSocket {
  static readonly CONNECTING = 0;
  static readonly OPEN = 1;
  static readonly CLOSING = 2;
  static readonly CLOSED = 3;
  static opened: string[] = [];
  readyState = 0;
  onopen?: () => void;
  onclose?: (event: unknown) => void;
  onmessage?: (event: { data: string }) => void;
  onerror?: (event: unknown) => void;

  constructor(
    url: string,
    readonly protocol: string,
  ) {
    FakeSocket.opened.push(`${protocol} ${url}`);
    queueMicrotask(() => {
      this.readyState = 1;
      this.onopen?.();
    });
  }
  answer(message: object) {
    queueMicrotask(() => this.onmessage?.({ data: JSON.stringify(message) }));
  }
  close(code = 1000, reason = "") {
    if (this.readyState === 3) return;
    this.readyState = 3;
    queueMicrotask(() => this.onclose?.({ code, reason, wasClean: true }));
  }
}

async function collect(query: string, operationName?: string): Promise<ExecutionResult[]> {
  const fetcher = createFetcher(new URL("http://host:8080/graphql"));
  const events = fetcher({ query, operationName }, { headers: { Authorization: "Bearer t" } });
  const results: ExecutionResult[] = [];
  for await (const event of events as AsyncIterable<ExecutionResult>) results.push(event);
  return results;
}

test("a subscription runs over the socket, with the headers as connection parameters", async () => {
  const seen: unknown[] = [];
  stubSocket((message, socket) => {
    seen.push(message);
    if (message.type === "connection_init") socket.answer({ type: "connection_ack" });
    if (message.type === "subscribe") {
      socket.answer({ type: "next", id: message.id, payload: { data: { a: 1 } } });
      socket.answer({ type: "next", id: message.id, payload: { data: { a: 2 } } });
      socket.answer({ type: "complete", id: message.id });
    }
  });
  const query = "query Q { a } subscription S { a }";
  expect(await collect(query, "S")).toEqual([{ data: { a: 1 } }, { data: { a: 2 } }]);
  expect(FakeSocket.opened.at(-1)).toBe("graphql-transport-ws ws://host:8080/graphql");
  expect(seen[0]).toEqual({ type: "connection_init", payload: { Authorization: "Bearer t" } });
  expect(seen[1]).toMatchObject({ type: "subscribe", payload: { query, operationName: "S" } });
});

test("a socket that the server closes ends with the reason as an error", async () => {
  stubSocket((_, socket) => socket.close(4401, "Unauthorized"));
  expect(await collect("subscription { a }")).toEqual([{ errors: [{ message: "The subscription ended: Unauthorized (4401)" }] }]);
});

test("a subscription that the schema refuses ends with the server's words", async () => {
  stubSocket((message, socket) => {
    if (message.type === "connection_init") socket.answer({ type: "connection_ack" });
    else if (message.type === "subscribe") socket.answer({ type: "error", id: message.id, payload: [{ message: 'no field "a"' }] });
  });
  expect(await collect("subscription { a }")).toEqual([{ errors: [{ message: 'The subscription ended: no field "a"' }] }]);
});
