import type { Fetcher } from "@graphiql/toolkit";
import type { ExecutionResult } from "graphql";
import type { Example } from "./examples";

const PLACEHOLDER = "ci_…";
const QUERY = `query DemoCI { ciByExternalId(source: "demo", externalId: "orders-db-primary") { id } }`;
const PATIENCE = 2000; // milliseconds

/** Puts the id of the demo estate's database where the examples of mutations
 * need a CI's id, since an id differs from one estate to the next. Without that
 * CI, or without an answer in time, the examples keep their placeholder and
 * their comment says where to find an id. */
export async function fillIn(examples: readonly Example[], fetcher: Fetcher): Promise<readonly Example[]> {
  if (!examples.some(({ variables }) => variables.includes(PLACEHOLDER))) return examples;
  const late = new Promise<null>((resolve) => setTimeout(resolve, PATIENCE, null));
  const answer = (await Promise.race([fetcher({ query: QUERY, operationName: "DemoCI" }), late])) as ExecutionResult<{
    ciByExternalId?: { id: string } | null;
  }> | null;
  const id = answer?.data?.ciByExternalId?.id;
  if (!id) return examples;
  return examples.map((example) => ({ ...example, variables: example.variables.replace(PLACEHOLDER, id) }));
}
