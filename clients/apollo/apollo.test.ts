import { createHash } from "node:crypto";
import { ApolloClient, CombinedGraphQLErrors, gql, HttpLink, InMemoryCache, type ObservableQuery } from "@apollo/client";
import { relayStylePagination } from "@apollo/client/utilities";
import { createPersistedQueryLink } from "@apollo/client/link/persisted-queries";
import { filter, firstValueFrom } from "rxjs";
import { expect, inject, test } from "vitest";
import { recorder } from "../recorder";

const uri = `${inject("server")}/graphql`;

/** An Apollo Client as its getting-started page makes it, but that what it sends is remembered. */
function connect(options: Partial<HttpLink.Options> = {}) {
  const { fetch, requests } = recorder();
  const cache = new InMemoryCache({ typePolicies: { Query: { fields: { cis: relayStylePagination(["filter"]) } } } });
  return { client: new ApolloClient({ link: new HttpLink({ uri, fetch, ...options }), cache }), requests };
}

/** What a watched query shows when it is no longer loading. */
async function shown<T>(watched: ObservableQuery<T>): Promise<T> {
  const result = await firstValueFrom(watched.pipe(filter((result) => !result.loading)));
  return result.data as T;
}

const PAGE = gql`
  query Page($after: String) {
    cis(filter: { name: { startsWith: "row-" } }, first: 3, after: $after) {
      edges { cursor node { id name } }
      pageInfo { hasNextPage endCursor }
    }
  }
`;

interface Page {
  cis: { edges: { node: { id: string; name: string } }[]; pageInfo: { hasNextPage: boolean; endCursor: string } };
}

test("a watched list grows by fetchMore", async () => {
  const { client } = connect();
  const list = client.watchQuery<Page>({ query: PAGE });
  const held = list.subscribe({});
  const first = await shown(list);
  await list.fetchMore({ variables: { after: first.cis.pageInfo.endCursor } });
  const both = await shown(list);
  expect(both.cis.edges.map((edge) => edge.node.name)).toEqual(["row-0000", "row-0001", "row-0002", "row-0003", "row-0004", "row-0005"]);
  held.unsubscribe();
});

test("a mutation's answer updates what other queries show, by id", async () => {
  const { client, requests } = connect();
  const created = await client.mutate<{ createTeam: { team: { id: string } } }>({
    mutation: gql`mutation New { createTeam(input: { name: "Apollo" }) { team { id name description version } userErrors { message } } }`,
  });
  const id = created.data!.createTeam.team.id;
  const QUERY = gql`query Team($id: ID!) { node(id: $id) { id ... on Team { name description version } } }`;
  const watched = client.watchQuery({ query: QUERY, variables: { id } });
  const held = watched.subscribe({});
  expect(await shown(watched)).toMatchObject({ node: { description: "" } });
  await client.mutate({
    mutation: gql`
      mutation Describe($input: UpdateTeamInput!) {
        updateTeam(input: $input) { team { id description version } userErrors { code } }
      }
    `,
    variables: { input: { id, description: "Lands on the moon." } },
  });
  expect(await shown(watched)).toMatchObject({ node: { id, name: "Apollo", description: "Lands on the moon." } });
  held.unsubscribe();
  expect(requests.map((request) => request.method)).toEqual(["POST", "POST", "POST"]);
});

test("what a person can mend comes as data", async () => {
  const { client } = connect();
  const { data, error } = await client.mutate<{ createTeam: { team: null; userErrors: { code: string; field: string[] }[] } }>({
    mutation: gql`mutation Nameless { createTeam(input: { name: "" }) { team { id } userErrors { code field } } }`,
    errorPolicy: "all",
  });
  expect(error).toBeUndefined();
  expect(data!.createTeam).toMatchObject({ team: null, userErrors: [{ field: ["name"] }] });
});

test.each([
  ["of the document", `query Wrong { cis { nodes { nmae } } }`, "GRAPHQL_VALIDATION_FAILED", 400],
  ["of an argument", `query Wrong { cis(after: "nonsense") { totalCount } }`, "BAD_CURSOR", 200],
])("an error %s arrives with its code", async (_, query, code, status) => {
  const { client, requests } = connect();
  const failed = await client.query({ query: gql(query) }).then(() => undefined, (error: unknown) => error);
  expect(CombinedGraphQLErrors.is(failed) && failed.errors.map((error) => error.extensions?.code)).toEqual([code]);
  expect(requests).toMatchObject([{ status }]);
});

test("queries go by GET when the link says so, mutations do not", async () => {
  const { client, requests } = connect({ useGETForQueries: true });
  const { data } = await client.query<Page>({ query: PAGE, variables: { after: null } });
  expect(data!.cis.edges).toHaveLength(3);
  await client.mutate({ mutation: gql`mutation M { createTeam(input: { name: "" }) { userErrors { code } } }` });
  expect(requests.map((request) => request.method)).toEqual(["GET", "POST"]);
});

test("an introspection query answers", async () => {
  const { client } = connect();
  const { data } = await client.query({ query: gql`{ __type(name: "CI") { kind fields { name } } }` });
  expect(data).toMatchObject({ __type: { kind: "OBJECT", fields: expect.arrayContaining([{ __typename: "__Field", name: "name" }]) } });
});

/** Apollo's persisted queries as its guide has them. */
function persisted(options: { useGETForHashedQueries?: boolean } = {}) {
  const { fetch, requests } = recorder();
  const sha256 = async (text: string) => createHash("sha256").update(text).digest("hex");
  const link = createPersistedQueryLink({ sha256, ...options }).concat(new HttpLink({ uri, fetch }));
  return { client: () => new ApolloClient({ link, cache: new InMemoryCache() }), requests };
}

test.each([
  ["POST", {}],
  ["GET", { useGETForHashedQueries: true }],
])("a persisted query is sent once in full, then by its hash, by %s", async (method, options) => {
  const { client, requests } = persisted(options);
  const query = gql(`query By${method} { viewer { name roles } }`);
  for (let i = 0; i < 2; i++) {
    const { data } = await client().query<{ viewer: { name: string } }>({ query });
    expect(data?.viewer.name).toBe("dev");
  }
  const sent = requests.map((request) => request.url.searchParams.get("query") ?? (request.body ? (JSON.parse(request.body).query ?? null) : null));
  expect(requests.map((request) => request.method)).toEqual([method, requests[1]!.method, method]);
  expect(sent).toEqual([null, expect.stringContaining(`By${method}`), null]);
});
