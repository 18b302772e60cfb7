import { readdirSync, readFileSync } from "node:fs";

const folder = new URL("../../schema/", import.meta.url);

/** The contract as it is committed, as one document. */
export function committed(): string {
  return readdirSync(folder)
    .filter((name) => name.endsWith(".graphql"))
    .map((name) => readFileSync(new URL(name, folder), "utf8"))
    .join("\n");
}

/** The contract as it was last released. */
export function released(): string {
  return readFileSync(new URL("released/schema.graphql", folder), "utf8");
}
