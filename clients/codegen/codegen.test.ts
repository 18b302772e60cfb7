import { Client, fetchExchange } from "@urql/core";
import { expect, inject, test } from "vitest";
import { useFragment } from "./__generated__";
import { Card, Catalogue, Rename } from "./queries";

const client = new Client({ url: `${inject("server")}/graphql`, exchanges: [fetchExchange] });

// npm run check reads this file too: a type that codegen got wrong fails there.

test("a list is what its types say", async () => {
  const { data, error } = await client.query(Catalogue, { first: 5, filter: { name: { startsWith: "row-" } } });
  expect(error).toBeUndefined();
  expect(data?.cis.nodes).toHaveLength(5);
  for (const node of data?.cis.nodes ?? []) {
    const card = useFragment(Card, node);
    const attributes: Record<string, unknown> = card.attributes;
    const at: string = card.createdAt;
    const owner: string | undefined = card.owner?.name;
    // @ts-expect-error: a name is never null
    const never: null = card.name;
    expect([typeof attributes, typeof at, typeof (owner ?? ""), typeof never]).toEqual(["object", "string", "string", "string"]);
    expect(new Date(at).getFullYear()).toBeGreaterThan(2000);
  }
  // @ts-expect-error: a filter has no such field
  const refused = await client.query(Catalogue, { first: 1, filter: { nmae: {} } });
  expect(refused.error?.graphQLErrors).toHaveLength(1);
});

test("a mutation is what its types say", async () => {
  const { data: found } = await client.query(Catalogue, { first: 1, filter: { name: { eq: "row-1999" } } });
  const card = useFragment(Card, found!.cis.nodes[0]!);
  const { data } = await client.mutation(Rename, { input: { id: card.id, name: "" } });
  const { ci, userErrors } = data!.updateCI;
  expect(ci).toBeNull();
  expect(userErrors.map((error) => error.field)).toEqual([["name"]]);
});
