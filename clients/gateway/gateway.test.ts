import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { composeServices } from "@apollo/composition";
import { ApolloGateway, RemoteGraphQLDataSource } from "@apollo/gateway";
import { ApolloServer } from "@apollo/server";
import { buildSubgraphSchema } from "@apollo/subgraph";
import { GraphQLError, parse } from "graphql";
import { createHandler } from "graphql-http/lib/use/http";
import { afterAll, beforeAll, expect, inject, test } from "vitest";

const linchpin = `${inject("server")}/graphql`;

/** Another team's subgraph: what services cost, and where machines stand. */
const COSTS = `
  extend schema @link(url: "https://specs.apollo.dev/federation/v2.3", import: ["@key"])
  type Service @key(fields: "id") { id: ID! monthlyCost(currency: String!): String! }
  type CI @key(fields: "id") { id: ID! shelf: String }
  type Query { dearest(ids: [ID!]!): [Service!]! }
`;

const resolvers = {
  Query: { dearest: (_: unknown, { ids }: { ids: string[] }) => ids.map((id) => ({ __typename: "Service", id })) },
  Service: { monthlyCost: ({ id }: { id: string }, { currency }: { currency: string }) => `${id} costs 7 ${currency}` },
  CI: {
    shelf({ id }: { id: string }): never {
      throw new GraphQLError(`nobody knows where ${id} stands`, { extensions: { code: "LOST" } });
    },
  },
};

let costs: Server;
let server: ApolloServer<{ actor?: string }>;

beforeAll(async () => {
  costs = createServer(createHandler({ schema: buildSubgraphSchema({ typeDefs: parse(COSTS), resolvers }) }));
  await new Promise<void>((resolve) => costs.listen(0, "127.0.0.1", resolve));
  const asked = await fetch(linchpin, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ query: "{ _service { sdl } }" }),
  });
  const { data } = (await asked.json()) as { data: { _service: { sdl: string } } };
  const { supergraphSdl, errors } = composeServices([
    { name: "linchpin", url: linchpin, typeDefs: parse(data._service.sdl) },
    { name: "costs", url: `http://127.0.0.1:${(costs.address() as AddressInfo).port}/`, typeDefs: parse(COSTS) },
  ]);
  expect(errors?.map(String)).toBeUndefined();
  const gateway = new ApolloGateway({
    supergraphSdl: supergraphSdl!,
    buildService: ({ url }) =>
      new RemoteGraphQLDataSource<{ actor?: string }>({
        url,
        willSendRequest({ request, context }) {
          if (context.actor) request.http?.headers.set("Linchpin-Actor", context.actor);
        },
      }),
  });
  server = new ApolloServer({ gateway });
  await server.start();
});

afterAll(async () => {
  await server?.stop();
  costs?.close();
});

async function ask(query: string, variables: Record<string, unknown> = {}, actor?: string) {
  const { body } = await server.executeOperation({ query, variables }, { contextValue: { actor } });
  if (body.kind !== "single") throw new Error("the answer comes in parts");
  return body.singleResult as { data?: any; errors?: { message: string; path?: unknown; extensions?: { code?: string } }[] };
}

test("what another team says of services is joined to a page of them", async () => {
  const { data, errors } = await ask(
    `query Costs($tier: [String!]!, $first: Int!, $currency: String!) {
      services(first: $first, filter: { tier: { in: $tier } }) { totalCount nodes { id name monthlyCost(currency: $currency) tier { code } } }
    }`,
    { tier: ["tier-1"], first: 5, currency: "EUR" },
  );
  expect(errors).toBeUndefined();
  expect(data.services.nodes).toHaveLength(5);
  for (const { id, name, monthlyCost, tier } of data.services.nodes) {
    expect(name).toBeTruthy();
    expect(monthlyCost).toBe(`${id} costs 7 EUR`);
    expect(tier.code).toBe("tier-1");
  }
});

test("services that another team names are found here, in their order", async () => {
  const { data: first } = await ask("{ services(first: 3, orderBy: [{ field: NAME, direction: DESC }]) { nodes { id name } } }");
  const wanted = first.services.nodes as { id: string; name: string }[];
  const ids = [wanted[2]!, wanted[0]!, wanted[1]!].map(({ id }) => id);
  const { data, errors } = await ask("query Dearest($ids: [ID!]!) { dearest(ids: $ids) { id name monthlyCost(currency: \"USD\") ci { name class { code } } } }", { ids });
  expect(errors).toBeUndefined();
  expect(data.dearest.map(({ name }: { name: string }) => name)).toEqual([wanted[2]!.name, wanted[0]!.name, wanted[1]!.name]);
  expect(data.dearest.every(({ ci }: { ci: { class: { code: string } } }) => ci.class.code)).toBe(true);
});

test("of a service that is not here the gateway knows what the other subgraph says", async () => {
  const { data, errors } = await ask('{ dearest(ids: ["svc_zzzz"]) { id tier { code } monthlyCost(currency: "EUR") } }');
  expect(errors).toBeUndefined();
  expect(data.dearest).toEqual([{ id: "svc_zzzz", tier: null, monthlyCost: "svc_zzzz costs 7 EUR" }]);
});

test("an error of another subgraph takes its own field alone", async () => {
  const { data, errors } = await ask('{ cis(first: 2, filter: { name: { in: ["row-0001", "row-0002"] } }) { nodes { id name shelf } } }');
  expect(data.cis.nodes).toMatchObject([{ name: "row-0001", shelf: null }, { name: "row-0002", shelf: null }]);
  expect(errors?.map(({ extensions }) => extensions?.code)).toEqual(["LOST", "LOST"]);
});

test("a refusal of Linchpin passes with its code, and at its field", async () => {
  const { errors } = await ask('query After($after: String!) { services(first: 1, after: $after) { nodes { id } } }', { after: "nowhere" });
  expect(errors).toHaveLength(1);
  expect(errors![0]).toMatchObject({ path: ["services"], extensions: { code: "BAD_CURSOR" } });
});

test("what a person can mend is told as data", async () => {
  const { data, errors } = await ask("mutation Make($input: CreateTeamInput!) { createTeam(input: $input) { team { id } userErrors { code field } } }", {
    input: { name: "" },
  });
  expect(errors).toBeUndefined();
  expect(data.createTeam).toEqual({ team: null, userErrors: [{ code: "REQUIRED", field: ["name"] }] });
});

test("who asks passes through", async () => {
  const { data } = await ask("{ viewer { name } }", {}, "grace");
  expect(data.viewer.name).toBe("grace");
});

test("records of several kinds are found by one search, and joined", async () => {
  const { data, errors } = await ask(
    'query Find($query: String!) { searchRecords(query: $query, types: [SERVICE]) { nodes { __typename ... on Service { name monthlyCost(currency: "EUR") } } } }',
    { query: "chekout" },
  );
  expect(errors).toBeUndefined();
  expect(data.searchRecords.nodes[0]).toMatchObject({ __typename: "Service", name: "Checkout" });
  expect(data.searchRecords.nodes[0].monthlyCost).toContain("costs 7 EUR");
});
