import type { CodegenConfig } from "@graphql-codegen/cli";

const config = {
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
    RevisionToken: "string",
    URL: "string",
  },
};

/** The client preset as its guide has it; strictScalars fails the build for a scalar without a type. Once more with a
 * manifest of its documents. */
const codegen: CodegenConfig = {
  schema: "__generated__/schema.graphql",
  generates: {
    "codegen/__generated__/": { documents: ["codegen/queries.ts"], preset: "client", config },
    "persisted/__generated__/codegen/": {
      documents: ["persisted/codegen.ts"],
      preset: "client",
      presetConfig: { persistedDocuments: { hashAlgorithm: "sha256" } },
      config,
    },
  },
};

export default codegen;
