import { composeServices } from "@apollo/composition";
import { parse } from "graphql";
import { expect, inject, test } from "vitest";

const server = inject("server");

interface Answer {
  data: Record<string, any> | null;
  errors?: { message: string; extensions: { code: string } }[];
}

async function ask(query: string, variables: Record<string, unknown> = {}): Promise<Answer> {
  const response = await fetch(`${server}/graphql`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ query, variables }),
  });
  return response.json() as Promise<Answer>;
}

const subgraph = async () => (await ask("{ _service { sdl } }")).data!._service.sdl as string;

/** Another team's subgraph, which knows what services cost. */
const COSTS = `
  extend schema @link(url: "https://specs.apollo.dev/federation/v2.3", import: ["@key", "@shareable"])
  type Service @key(fields: "id") { id: ID! monthlyCost: Float! costReport(first: Int): CostConnection! }
  type Team @key(fields: "id") { id: ID! budget: Float! }
  type CostConnection { nodes: [Cost!]! pageInfo: PageInfo! }
  type Cost { month: String! amount: Float! }
  type PageInfo @shareable { hasNextPage: Boolean! hasPreviousPage: Boolean! startCursor: String endCursor: String }
  type Query { mostExpensive: Service }
`;

const compose = (...sdls: string[]) =>
  composeServices(sdls.map((sdl, i) => ({ name: `subgraph${i}`, url: `http://127.0.0.1/${i}`, typeDefs: parse(sdl) })));

test("another subgraph extends services and teams", async () => {
  const { errors, supergraphSdl } = compose(await subgraph(), COSTS);
  expect(errors?.map(String)).toBeUndefined();
  expect(supergraphSdl).toContain("monthlyCost: Float!");
  expect(supergraphSdl).not.toContain("_entities");
});

test("every type of entity has its key", async () => {
  const sdl = await subgraph();
  for (const type of ["CI", "Service", "Team", "Incident", "Change"]) {
    const { errors } = compose(sdl, `${COSTS.split("\n")[1]} type ${type} @key(fields: "id") { id: ID! ours: Int }`);
    expect(errors?.map(String), type).toBeUndefined();
  }
});

test("a type without a key is refused", async () => {
  const { errors } = compose(await subgraph(), COSTS.replace(/Team/, "Person"));
  expect(errors).not.toBeUndefined();
});

const ENTITIES = `
  query Entities($representations: [_Any!]!) {
    _entities(representations: $representations) { __typename ... on CI { id name } ... on Service { id name } ... on Team { id name } }
  }
`;

test("entities are found by their representations, in their order", async () => {
  const { data } = await ask(`{
    services(first: 2) { nodes { __typename id name } }
    teams(first: 1) { nodes { __typename id name } }
    cis(filter: { name: { eq: "row-0007" } }) { nodes { __typename id name } }
  }`);
  const [one, two] = data!.services.nodes;
  const asked = [two, data!.cis.nodes[0], one, data!.teams.nodes[0], two];
  const representations = asked.map(({ __typename, id }: { __typename: string; id: string }) => ({ __typename, id }));
  expect(await ask(ENTITIES, { representations: [...representations, { __typename: "Team", id: "team_zzzz" }] })).toMatchObject({
    data: { _entities: [...asked, null] },
  });
});

test.each([
  ["a type that is no entity", [{ __typename: "Person", id: "person_1" }]],
  ["a type that is no text", [{ __typename: ["CI"], id: "ci_1" }]],
  ["an id of another type", [{ __typename: "CI", id: "team_1" }]],
  ["no id", [{ __typename: "CI" }]],
  ["more than 100", Array.from({ length: 101 }, () => ({ __typename: "CI", id: "ci_1" }))],
])("%s is refused", async (_, representations) => {
  const { data, errors } = await ask(ENTITIES, { representations });
  expect(data).toBeNull();
  expect(errors?.map((error) => error.extensions.code)).toEqual(["BAD_USER_INPUT"]);
});
