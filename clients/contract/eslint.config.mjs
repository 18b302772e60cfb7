import { fileURLToPath } from "node:url";
import graphql from "@graphql-eslint/eslint-plugin";

const { rules: recommended } = graphql.configs["flat/schema-recommended"];
const { rules: relay } = graphql.configs["flat/schema-relay"];
const [, names] = recommended["@graphql-eslint/naming-convention"];

/** The rules of the contract: graphql-eslint's own sets, and the stricter ones that the contract promises. */
export default [
  {
    files: ["schema/*.graphql"],
    languageOptions: {
      parser: graphql.parser,
      parserOptions: { graphQLConfig: { schema: fileURLToPath(new URL("../../schema/*.graphql", import.meta.url)) } },
    },
    plugins: { "@graphql-eslint": graphql },
    rules: {
      ...recommended,
      ...relay,
      "@graphql-eslint/no-scalar-result-type-on-mutation": "error",
      "@graphql-eslint/input-name": ["error", { checkInputType: true, caseSensitiveInputType: false }],
      "@graphql-eslint/require-description": [
        "error",
        {
          types: true,
          rootField: true,
          DirectiveDefinition: true,
          FieldDefinition: true,
          InputValueDefinition: true,
          EnumValueDefinition: true,
        },
      ],
      "@graphql-eslint/naming-convention": [
        "error",
        {
          ...names,
          "ObjectTypeDefinition,ObjectTypeExtension": {
            forbiddenPrefixes: ["Type"],
            forbiddenSuffixes: ["Type"],
            // The field's own term: CSDM's "relationship type" is a record, not a kind of GraphQL type.
            ignorePattern: "^RelationshipType$",
          },
        },
      ],
      // Relay asks for one direction at least; search is ranked, and a ranking is read from its front.
      "@graphql-eslint/relay-arguments": ["error", { includeBoth: false }],
      // Connections have `nodes` beside `edges`, and what is computed (an affected CI, say) has no id to be found by again.
      "@graphql-eslint/relay-edge-types": ["error", { withEdgeSuffix: true, shouldImplementNode: false, listTypeCanWrapOnlyEdgeType: false }],
      // Records have their id from the interface Node; connections, payloads and computed values are no records.
      "@graphql-eslint/strict-id-in-types": "off",
    },
  },
  {
    // The names are those of Apollo's subgraph specification.
    files: ["schema/federation.graphql"],
    rules: { "@graphql-eslint/naming-convention": "off" },
  },
  {
    // A service level is ITIL's own term, also where it belongs to a service.
    files: ["schema/servicelevel.graphql"],
    rules: { "@graphql-eslint/no-typename-prefix": "off" },
  },
];
