import { readdirSync, readFileSync } from "node:fs";
import { Kind, parse, type DocumentNode, type ObjectTypeDefinitionNode, type ObjectTypeExtensionNode } from "graphql";
import type { Plugin } from "vite";

/** What each file of the contract is about, in the order in which somebody meets it. */
const TITLES: Record<string, string> = {
  root: "Records and you",
  search: "Search",
  ci: "CIs",
  class: "Classes",
  relationship: "Relationships",
  service: "Services",
  impact: "Impact",
  analysis: "Analysis",
  incident: "Incidents",
  suspect: "Suspects",
  change: "Changes",
  operation: "Planned operations",
  conflict: "Conflicts",
  risk: "Risk",
  window: "Windows and calendar",
  template: "Templates",
  approval: "Approvals",
  servicelevel: "Service levels",
  kpi: "Key figures",
  team: "Teams and people",
  account: "Accounts",
  source: "Sources",
  journal: "Journal",
  subscription: "Events",
  federation: "Federation",
};

const ROOTS = ["Query", "Mutation", "Subscription"];
const folder = new URL("../../schema/", import.meta.url);

/** The fields of the root types by the concept whose file declares them. */
function concepts(): Record<string, string[]> {
  const files = readdirSync(folder).filter((name) => name.endsWith(".graphql"));
  const untitled = files.filter((name) => !(name.replace(".graphql", "") in TITLES));
  if (untitled.length > 0) throw new Error(`concepts.ts has no title for ${untitled.join(", ")}`);
  return Object.fromEntries(
    Object.entries(TITLES).map(([file, title]) => {
      const { definitions }: DocumentNode = parse(readFileSync(new URL(`${file}.graphql`, folder), "utf8"));
      const roots = definitions.filter(
        (d): d is ObjectTypeDefinitionNode | ObjectTypeExtensionNode =>
          (d.kind === Kind.OBJECT_TYPE_DEFINITION || d.kind === Kind.OBJECT_TYPE_EXTENSION) && ROOTS.includes(d.name.value),
      );
      return [title, roots.flatMap((root) => (root.fields ?? []).map((field) => `${root.name.value}.${field.name.value}`))];
    }),
  );
}

/** Gives the page what introspection does not tell: which fields belong together. */
export function conceptsOfTheContract(): Plugin {
  const id = "virtual:concepts";
  return {
    name: "linchpin-concepts",
    resolveId: (source) => (source === id ? `\0${id}` : null),
    load: (source) => (source === `\0${id}` ? `export default ${JSON.stringify(concepts())};` : null),
  };
}
