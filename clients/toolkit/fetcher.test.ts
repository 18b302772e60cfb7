import { createGraphiQLFetcher } from "@graphiql/toolkit";
import { buildClientSchema, getIntrospectionQuery, type IntrospectionQuery } from "graphql";
import { expect, inject, test } from "vitest";

// The fetcher that every GraphiQL has, also those that others host.
const fetcher = createGraphiQLFetcher({ url: `${inject("server")}/graphql`, fetch });

test("GraphiQL's own fetcher reads the schema", async () => {
  const { data } = (await fetcher({ query: getIntrospectionQuery(), operationName: "IntrospectionQuery" })) as unknown as { data: IntrospectionQuery };
  expect(buildClientSchema(data).getType("CI")).toBeDefined();
});

test("GraphiQL's own fetcher sends headers and variables", async () => {
  const query = "query Who($first: Int) { viewer { name } cis(first: $first) { nodes { id } } }";
  const answers = await fetcher({ query, operationName: "Who", variables: { first: 2 } }, { headers: { "Linchpin-Actor": "ada" } });
  const { value } = await (answers as AsyncIterator<unknown>).next();
  expect(value).toMatchObject({ data: { viewer: { name: "ada" }, cis: { nodes: [{}, {}] } } });
});
