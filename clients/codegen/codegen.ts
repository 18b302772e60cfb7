import type { CodegenConfig } from "@graphql-codegen/cli";

/** The client preset as its guide has it; strictScalars fails the build for a scalar without a type. */
const config: CodegenConfig = {
  schema: "__generated__/schema.graphql",
  documents: ["codegen/queries.ts"],
  generates: {
    "codegen/__generated__/": {
      preset: "client",
      config: {
        strictScalars: true,
        useTypeImports: true,
        enumsAsTypes: true,
        scalars: {
          _Any: "{ __typename: string; id: string }",
          Date: "string",
          DateTime: "string",
          Duration: "string",
          JSON: "Record<string, unknown>",
          JSONValue: "string | number | boolean",
          Revision: "number",
          URL: "string",
        },
      },
    },
  },
};

export default config;
