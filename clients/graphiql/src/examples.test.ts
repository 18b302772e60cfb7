import { readdirSync, readFileSync } from "node:fs";
import { buildSchema, getVariableValues, parse, validate, type OperationDefinitionNode } from "graphql";
import { expect, test } from "vitest";
import { examples as prepared, firstSteps } from "./examples";

const examples = [...prepared, ...firstSteps];
const folder = new URL("../../../schema/", import.meta.url);
const schema = buildSchema(
  readdirSync(folder)
    .filter((name) => name.endsWith(".graphql"))
    .map((name) => readFileSync(new URL(name, folder), "utf8"))
    .join("\n"),
);

test.each(examples)("$name is valid against the schema", ({ query, variables }) => {
  const document = parse(query);
  expect(validate(schema, document).map(String)).toEqual([]);
  const { variableDefinitions } = document.definitions[0] as OperationDefinitionNode;
  expect(getVariableValues(schema, variableDefinitions ?? [], JSON.parse(variables)).errors?.map(String)).toBeUndefined();
});

test.each(examples)("$name is one operation of that name", ({ name, query }) => {
  const { definitions } = parse(query);
  expect(definitions).toHaveLength(1);
  expect(definitions[0]).toMatchObject({ kind: "OperationDefinition", name: { value: name } });
});

test("mutations answer the ids that the next mutation needs", () => {
  for (const { name, query } of examples.filter(({ query }) => query.includes("mutation "))) {
    expect(query, name).toMatch(/\b(incident|change|ci) \{\s+id\b/);
    expect(query, name).toMatch(/userErrors \{/);
  }
});
