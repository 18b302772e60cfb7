import { cacheExchange, Client, fetchExchange, gql } from "@urql/core";
import { expect, inject, test } from "vitest";
import { recorder } from "../recorder";

const url = `${inject("server")}/graphql`;

/** A client as urql's getting-started page makes it, but that what it sends is remembered. */
function connect() {
  const { fetch, requests } = recorder();
  return { client: new Client({ url, exchanges: [cacheExchange, fetchExchange], fetch }), requests };
}

const CIS = gql`
  query CIs($first: Int!) {
    cis(filter: { name: { startsWith: "row-" } }, first: $first) { nodes { id name } totalCount }
  }
`;

test("a query goes by GET unless told otherwise, and is answered in JSON", async () => {
  const { client, requests } = connect();
  const { data, error } = await client.query(CIS, { first: 2 });
  expect(error).toBeUndefined();
  expect(data).toMatchObject({ cis: { nodes: [{ name: "row-0000" }, { name: "row-0001" }], totalCount: 2000 } });
  expect(requests).toMatchObject([{ method: "GET", status: 200 }]);
  // urql accepts an event stream with everything it sends: it must not get one for a query.
  expect(requests[0]!.accept).toContain("text/event-stream");
});

test("a long query goes by POST", async () => {
  const { client, requests } = connect();
  const { data, error } = await client.query(
    gql`query Long($ids: [ID!]!) { nodes(ids: $ids) { id } }`,
    { ids: Array.from({ length: 100 }, (_, i) => `ci_${i + 1}${"0".repeat(20)}`.slice(0, 24)) },
  );
  expect(requests).toMatchObject([{ method: "POST" }]);
  expect(error ?? data).toBeTruthy();
});

test("a mutation goes by POST and refreshes the queries of its types", async () => {
  const { client, requests } = connect();
  const TEAMS = gql`query Teams { teams(filter: { name: { startsWith: "urql" } }) { nodes { id name } } }`;
  await client.mutation(gql`mutation First { createTeam(input: { name: "urql one" }) { team { id } } }`, {});
  const seen: number[] = [];
  const { unsubscribe } = client.query(TEAMS, {}).subscribe(({ data }) => seen.push(data.teams.nodes.length));
  await expect.poll(() => seen.at(-1)).toBe(1);
  await client.mutation(gql`mutation Second { createTeam(input: { name: "urql two" }) { team { id } userErrors { message } } }`, {});
  await expect.poll(() => seen.at(-1)).toBe(2);
  unsubscribe();
  expect(requests.map((request) => request.method)).toEqual(["POST", "GET", "POST", "GET"]);
});

test("an error arrives with its code and the other fields", async () => {
  const { client } = connect();
  const { data, error } = await client.query(gql`{ viewer { name } cis(after: "nonsense") { totalCount } }`, {});
  expect(data).toBeFalsy(); // cis is never null, and so nothing is left
  expect(error?.graphQLErrors.map((one) => one.extensions.code)).toEqual(["BAD_CURSOR"]);
});

test("a document that is wrong is refused with its place", async () => {
  const { client } = connect();
  const { error } = await client.query(gql`{ cis { nodes { nmae } } }`, {});
  expect(error?.graphQLErrors).toMatchObject([{ extensions: { code: "GRAPHQL_VALIDATION_FAILED" }, locations: [{ line: expect.any(Number) }] }]);
});
