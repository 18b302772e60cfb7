import { readdirSync, readFileSync } from "node:fs";
import { buildSchema } from "graphql";
import { expect, test } from "vitest";
import concepts from "virtual:concepts";
import { find, grouped, sentence } from "./find";

const folder = new URL("../../../schema/", import.meta.url);
const schema = buildSchema(
  readdirSync(folder)
    .filter((name) => name.endsWith(".graphql"))
    .map((name) => readFileSync(new URL(name, folder), "utf8"))
    .join("\n"),
);
const names = (asked: string) => find(schema, asked).map(({ type, field }) => (field ? `${type.name}.${field.name}` : type.name));

test.each([
  ["search for a person", "Query.searchRecords"],
  ["single point", "Query.singlePointsOfFailure"],
  ["impact", "Query.impact"],
  ["open incident", "Mutation.openIncident"],
  ["external key", "Query.ciByExternalId"],
])("%j finds %s among the first", (asked, wanted) => {
  expect(names(asked).slice(0, 12)).toContain(wanted);
});

test("a question in words of descriptions finds what answers it", () => {
  const found = find(schema, "who is down");
  expect(found.length).toBeGreaterThan(3);
  for (const { type, field } of found) expect(`${(field ?? type).name} ${(field ?? type).description}`.toLowerCase()).toContain("down");
});

test("words that nothing has find nothing", () => {
  expect(find(schema, "xyzzy")).toEqual([]);
  expect(find(schema, "  ")).toEqual([]);
});

test.each(["Query", "Mutation", "Subscription"])("each field of %s belongs to a concept", (name) => {
  const root = schema.getRootType(name.toLowerCase() as never)!;
  const groups = grouped(root, concepts);
  expect(groups.map(([concept]) => concept)).not.toContain("More");
  expect(groups.flatMap(([, fields]) => fields)).toHaveLength(Object.keys(root.getFields()).length);
});

test("a description is shown by its first sentence", () => {
  expect(sentence({ description: "The name. It is unique." })).toBe("The name.");
  expect(sentence({ description: null })).toBe("");
});
