import { CriticalityLevel, diff } from "@graphql-inspector/core";
import { buildClientSchema, buildSchema, getIntrospectionQuery, type GraphQLSchema, printSchema } from "graphql";
import { beforeAll, expect, inject, test } from "vitest";
import { committed, released } from "./sdl";

const server = inject("server");
let served: GraphQLSchema;

beforeAll(async () => {
  const response = await fetch(`${server}/schema.graphql`);
  served = buildSchema(await response.text());
});

/** A schema as it is printed, whether it was read or asked for. */
const printed = (schema: GraphQLSchema) => buildSchema(printSchema(schema));

const changes = async (from: GraphQLSchema, to: GraphQLSchema) => (await diff(printed(from), printed(to))).map((change) => change.message);

test("what is served at /schema.graphql is what is committed", async () => {
  expect(await changes(buildSchema(committed()), served)).toEqual([]);
});

test("introspection shows what is served", async () => {
  const query = getIntrospectionQuery({ specifiedByUrl: true, inputValueDeprecation: true, directiveIsRepeatable: true });
  const response = await fetch(`${server}/graphql`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ query }),
  });
  const { data, errors } = await response.json();
  expect(errors).toBeUndefined();
  expect(await changes(buildClientSchema(data), served)).toEqual([]);
});

/** What would break a client of `from` that meets `to`. */
async function breaking(from: GraphQLSchema, to: GraphQLSchema): Promise<string[]> {
  return (await diff(from, to)).filter((change) => change.criticality.level === CriticalityLevel.Breaking).map((change) => change.message);
}

test("nothing of the last release is broken", async () => {
  expect(await breaking(buildSchema(released()), served)).toEqual([]);
});

test.each([
  ["a field that goes", `  """The name people use."""\n  name: String!\n`, ""],
  ["a type that changes", "  version: Int!", "  version: String!"],
  ["a value of an enum that goes", `  """It is in use."""\n  LIVE\n`, ""],
  ["an argument that becomes required", "    first: Int\n", "    first: Int!\n"],
])("%s is seen as breaking", async (_, text, instead) => {
  const before = printSchema(buildSchema(released()));
  expect(before).toContain(text);
  expect(await breaking(buildSchema(before), buildSchema(before.replace(text, instead)))).not.toEqual([]);
});
