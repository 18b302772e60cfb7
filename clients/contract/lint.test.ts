import { fileURLToPath } from "node:url";
import { ESLint } from "eslint";
import { buildSchema, isEnumType, isInputObjectType, isInterfaceType, isObjectType } from "graphql";
import { expect, test } from "vitest";
import { committed } from "./sdl";

const eslint = new ESLint({
  cwd: fileURLToPath(new URL("../..", import.meta.url)),
  overrideConfigFile: fileURLToPath(new URL("eslint.config.mjs", import.meta.url)),
});

const said = (results: ESLint.LintResult[]) =>
  results.flatMap((file) => file.messages.map((one) => `${file.filePath}:${one.line}: ${one.message} (${one.ruleId})`));

test("the contract keeps graphql-eslint's rules", async () => {
  const results = await eslint.lintFiles("schema/*.graphql");
  expect(results.length).toBeGreaterThan(5);
  expect(said(results)).toEqual([]);
});

test("a field without a description is seen", async () => {
  const results = await eslint.lintText('"""A thing."""\ntype Thing { bare_name: String }\nextend type Query { """A thing.""" thing: Thing }', {
    filePath: "schema/planted.graphql",
  });
  const rules = results.flatMap((file) => file.messages.map((one) => one.ruleId));
  expect(rules).toContain("@graphql-eslint/require-description");
  expect(rules).toContain("@graphql-eslint/naming-convention");
});

/** What a deprecation has to say: what to use instead, and from which day on it may be gone. */
const REASON = /^Use .+\. Removed on \d{4}-\d{2}-\d{2}\.$/;

/** Maps each deprecated element of a schema to its reason. graphql-eslint's own rule reads an argument deletionDate,
 * which @deprecated does not have by the specification. */
function deprecations(sdl: string): Map<string, string> {
  const found = new Map<string, string>();
  for (const type of Object.values(buildSchema(sdl).getTypeMap())) {
    if (type.name.startsWith("__")) continue;
    const members = [
      ...(isEnumType(type) ? type.getValues() : []),
      ...(isObjectType(type) || isInterfaceType(type) || isInputObjectType(type) ? Object.values(type.getFields()) : []),
    ];
    for (const member of members) {
      const of = `${type.name}.${member.name}`;
      if (member.deprecationReason != null) found.set(of, member.deprecationReason);
      for (const argument of "args" in member ? member.args : []) {
        if (argument.deprecationReason != null) found.set(`${of}(${argument.name}:)`, argument.deprecationReason);
      }
    }
  }
  return found;
}

const undated = (sdl: string) => [...deprecations(sdl)].filter(([, reason]) => !REASON.test(reason)).map(([of]) => of);

test("a deprecation names a replacement and the day of removal", () => {
  expect(undated(committed())).toEqual([]);
});

test("a deprecation without a day is seen", () => {
  expect(
    undated(`type Query {
      old: Int @deprecated(reason: "It is old.")
      dated: Int @deprecated(reason: "Use new instead. Removed on 2027-06-30.")
      new(old: Int @deprecated): Int
    }`),
  ).toEqual(["Query.old", "Query.new(old:)"]);
});
