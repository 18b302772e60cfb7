import { ApolloClient, gql, InMemoryCache } from "@apollo/client";
import { GraphQLWsLink } from "@apollo/client/link/subscriptions";
import { createGraphiQLFetcher } from "@graphiql/toolkit";
import { Client, fetchExchange, subscriptionExchange } from "@urql/core";
import { parse } from "graphql";
import { createClient as createSSEClient } from "graphql-sse";
import { createClient as createWSClient } from "graphql-ws";
import { expect, inject, test } from "vitest";
import { WebSocket } from "ws";

const url = `${inject("server")}/graphql`;
const socket = url.replace("http", "ws");
const overSocket = () => createWSClient({ url: socket, webSocketImpl: WebSocket, retryAttempts: 0 });

interface Event {
  journal: { revision: number; resync: string | null; entries: { verb: string; record: { id: string } }[] };
}

type Subscribe = (query: string, variables: Record<string, unknown>, next: (data: Event) => void, failed: (cause: unknown) => void) => () => void;

/** How each client subscribes, as its own guide has it. What is returned ends the subscription. */
const clients: Record<string, Subscribe> = {
  "graphql-ws": (query, variables, next, failed) => {
    const client = overSocket();
    client.subscribe<Event>({ query, variables }, { next: ({ data }) => next(data!), error: failed, complete: () => {} });
    return () => void client.dispose();
  },
  "graphql-sse": (query, variables, next, failed) => {
    const client = createSSEClient({ url, retryAttempts: 0 });
    client.subscribe<Event>({ query, variables }, { next: ({ data }) => next(data!), error: failed, complete: () => {} });
    return () => client.dispose();
  },
  "Apollo Client over WebSocket": (query, variables, next, failed) => {
    const ws = overSocket();
    const client = new ApolloClient({ link: new GraphQLWsLink(ws), cache: new InMemoryCache() });
    const held = client.subscribe<Event>({ query: gql(query), variables }).subscribe({ next: ({ data, error }) => (data ? next(data) : failed(error)), error: failed });
    return () => {
      held.unsubscribe();
      void ws.dispose();
    };
  },
  "urql over WebSocket": (query, variables, next, failed) => {
    const ws = overSocket();
    const forward = subscriptionExchange({
      forwardSubscription: ({ query, variables }) => ({
        subscribe: (sink) => ({ unsubscribe: ws.subscribe({ query: query ?? "", variables }, sink as Parameters<typeof ws.subscribe>[1]) }),
      }),
    });
    const client = new Client({ url, exchanges: [fetchExchange, forward] });
    const held = client.subscription(query, variables).subscribe(({ data, error }) => (error ? failed(error) : next(data)));
    return () => {
      held.unsubscribe();
      void ws.dispose();
    };
  },
  "urql over an event stream": (query, variables, next, failed) => {
    const client = new Client({ url, exchanges: [fetchExchange], fetchSubscriptions: true });
    const held = client.subscription(query, variables).subscribe(({ data, error }) => (error ? failed(error) : next(data)));
    return held.unsubscribe;
  },
  "GraphiQL's own fetcher": (query, variables, next, failed) => {
    const wsClient = overSocket();
    const fetcher = createGraphiQLFetcher({ url, fetch, wsClient });
    void (async () => {
      const answers = await fetcher({ query, variables, operationName: "Writes" }, { documentAST: parse(query) });
      for await (const answer of answers as AsyncIterable<{ data: Event }>) next(answer.data);
    })().catch(failed);
    return () => void wsClient.dispose();
  },
};

async function ask(query: string, variables: Record<string, unknown> = {}) {
  const response = await fetch(url, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ query, variables }),
  });
  const { data } = (await response.json()) as { data: Record<string, any> };
  return data;
}

const update = (id: string, description: string) =>
  ask(`mutation ($input: UpdateTeamInput!) { updateTeam(input: $input) { userErrors { message } } }`, { input: { id, description } });

test.each(Object.entries(clients))("%s hears what was written since, and what is written now", async (name, subscribe) => {
  const { createTeam } = await ask(`mutation ($name: String!) { createTeam(input: { name: $name }) { team { id } } }`, { name: `Listens: ${name}` });
  const { id } = createTeam.team;
  const { revision } = await ask("{ revision }");
  await update(id, "one");

  const heard: Event["journal"][] = [];
  const failures: unknown[] = [];
  const stop = subscribe(
    `subscription Writes($after: Revision, $ids: [ID!]) { journal(after: $after, ids: $ids) { revision resync entries { verb record { id } } } }`,
    { after: revision, ids: [id] },
    ({ journal }) => heard.push(journal),
    (cause) => failures.push(cause),
  );
  await expect.poll(() => heard.length + failures.length).toBe(1);
  await update(id, "two");
  await expect.poll(() => heard.length + failures.length).toBe(2);
  stop();
  expect(failures).toEqual([]);
  const entries = [{ verb: "team.update", record: { id } }];
  expect(heard).toMatchObject([
    { revision: expect.any(Number), resync: null, entries },
    { revision: expect.any(Number), resync: null, entries },
  ]);
  expect(heard[0]!.revision).toBeGreaterThan(revision);
  expect(heard[1]!.revision).toBeGreaterThan(heard[0]!.revision);
});
