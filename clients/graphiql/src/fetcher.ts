import type { Fetcher, FetcherParams } from "@graphiql/toolkit";
import { Kind, OperationTypeNode, parse, type ExecutionResult, type OperationDefinitionNode } from "graphql";
import { createClient } from "graphql-ws";

/** Sends queries and mutations over HTTP and subscriptions over
 * graphql-transport-ws, both to `url`. It never rejects: whatever goes wrong is
 * an answer with `errors`, so that it shows in the response pane. The Headers
 * editor reaches subscriptions as connection parameters, since a browser cannot
 * set headers on a socket. */
export function createFetcher(url: URL): Fetcher {
  return (asked, options) => {
    const params = settle(asked);
    const headers = options?.headers ?? {};
    return params.isSubscription ? subscribe(url, params.body, headers) : post(url, params.body, headers);
  };
}

/** Hears of "signedout" when the server no longer knows who calls. */
export const signedOut = new EventTarget();

/** The fetcher of these pages: the API is at /graphql of the host that served them. */
export const fetcher: Fetcher = (params, options) => createFetcher(new URL("/graphql", location.href))(params, options);

/** Reads the operation from the text that is sent. For a moment after a switch
 * of tabs GraphiQL still hands over the name and document of the tab before. */
function settle(params: FetcherParams): { body: FetcherParams; isSubscription: boolean } {
  let operations: OperationDefinitionNode[] = [];
  try {
    operations = parse(params.query).definitions.filter((d) => d.kind === Kind.OPERATION_DEFINITION);
  } catch {
    // The server says better what is wrong with the text.
  }
  const named = operations.find((operation) => operation.name?.value === params.operationName);
  const only = operations.length === 1 ? operations[0] : undefined;
  const body = only ? { ...params, operationName: only.name?.value } : params;
  return { body, isSubscription: (named ?? only)?.operation === OperationTypeNode.SUBSCRIPTION };
}

async function post(url: URL, params: FetcherParams, headers: Record<string, string>): Promise<ExecutionResult> {
  let response: Response;
  let text: string;
  try {
    response = await fetch(url, {
      method: "POST",
      credentials: "same-origin",
      headers: {
        Accept: "application/graphql-response+json, application/json;q=0.9",
        "Content-Type": "application/json",
        ...headers,
      },
      body: JSON.stringify(params),
    });
    text = await response.text();
    if (response.status === 401) signedOut.dispatchEvent(new Event("signedout"));
  } catch (cause) {
    return failure(`No answer from ${url.pathname}: ${message(cause)}`);
  }
  try {
    const answer: unknown = JSON.parse(text);
    if (typeof answer === "object" && answer !== null && ("data" in answer || "errors" in answer)) {
      return answer as ExecutionResult;
    }
  } catch {
    // Not JSON: a proxy's page or a plain-text refusal, shown below as it came.
  }
  return failure(`HTTP ${response.status} ${response.statusText}`.trim(), text.slice(0, 2000));
}

async function* subscribe(url: URL, params: FetcherParams, headers: Record<string, string>): AsyncGenerator<ExecutionResult> {
  const socket = new URL(url);
  socket.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  const client = createClient({ url: socket.href, connectionParams: headers, retryAttempts: 0, onNonLazyError: () => {} });
  try {
    yield* client.iterate({ ...params, operationName: params.operationName ?? undefined }) as AsyncIterable<ExecutionResult>;
  } catch (cause) {
    yield failure(`The subscription ended: ${message(cause)}`);
  } finally {
    void client.dispose();
  }
}

function failure(text: string, body?: string): ExecutionResult {
  const error = body ? { message: text, extensions: { body } } : { message: text };
  return { errors: [error] } as unknown as ExecutionResult;
}

/** Says what was thrown: an Error, a list of GraphQL errors, or a CloseEvent. */
function message(cause: unknown): string {
  if (Array.isArray(cause)) return cause.map(message).join("; ");
  if (typeof cause === "object" && cause !== null) {
    if ("code" in cause && "reason" in cause) return `${cause.reason || "connection closed"} (${cause.code})`;
    if ("message" in cause && cause.message) return String(cause.message);
  }
  return cause instanceof Event ? "could not connect" : String(cause);
}
