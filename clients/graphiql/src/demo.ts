import type { Fetcher } from "@graphiql/toolkit";
import type { ExecutionResult } from "graphql";
import { firstSteps, type Example } from "./examples";

const CI = "ci_…";
const REVISION = '"after": null';
const QUERY = `query DemoCI { ciByExternalId(source: "demo", externalId: "orders-db-primary") { id } services(first: 1) { nodes { ci { id } } } cis(first: 1) { nodes { id } } }`;
const PATIENCE = 2000; // milliseconds

type Answer = ExecutionResult<
  {
    ciByExternalId?: { id: string } | null;
    services?: { nodes: { ci: { id: string } }[] };
    cis?: { nodes: { id: string }[] };
  },
  { revision?: number }
>;

/** Puts an id where the examples need a CI's, since an id differs from one
 * estate to the next: that of the demo estate's database, or else of the first
 * service, or of any CI; and the revision of now where they listen from. An
 * empty estate gets an example before the others that makes a first CI. Without
 * an answer in time the examples keep their placeholders, and their comments say
 * where to find an id. */
export async function fillIn(examples: readonly Example[], fetcher: Fetcher): Promise<readonly Example[]> {
  if (!examples.some(({ variables }) => variables.includes(CI) || variables.includes(REVISION))) return examples;
  const late = new Promise<null>((resolve) => setTimeout(resolve, PATIENCE, null));
  const answer = (await Promise.race([fetcher({ query: QUERY, operationName: "DemoCI" }), late])) as Answer | null;
  if (!answer?.data) return examples;
  const { ciByExternalId, services, cis } = answer.data;
  const id = ciByExternalId?.id ?? services?.nodes[0]?.ci.id ?? cis?.nodes[0]?.id;
  const revision = answer.extensions?.revision;
  const filled = examples.map((example) => {
    let { variables } = example;
    if (id) variables = variables.replace(CI, id);
    if (revision !== undefined) variables = variables.replace(REVISION, `"after": ${revision}`);
    return { ...example, variables };
  });
  return id || examples.length === 1 ? filled : [...firstSteps, ...filled];
}
