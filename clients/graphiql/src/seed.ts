import type { Example } from "./examples";

const TABS = "graphiql:tabState";

/** Whether this browser has tabs from before, which are then left alone. */
export function hasTabs(storage: Pick<Storage, "getItem">): boolean {
  try {
    const state = JSON.parse(storage.getItem(TABS) ?? "null") as { tabs?: unknown } | null;
    return Array.isArray(state?.tabs) && state.tabs.length > 0;
  } catch {
    return false;
  }
}

/** Writes a tab for each example where GraphiQL keeps its tabs. It must run
 * before the first render. GraphiQL's `defaultTabs` is no substitute: it loses
 * the first tab's variables, and `initialVariables` adds an empty tab on each
 * reload. Query and variables are stored beside the tabs because GraphiQL opens
 * the tab that equals them. */
export function seedTabs(storage: Pick<Storage, "setItem">, examples: readonly Example[]): void {
  const [first] = examples;
  if (!first) return;
  const tabs = examples.map((example) => ({
    id: `linchpin-${example.name}`,
    hash: null,
    title: example.name,
    operationName: example.name,
    query: example.query,
    variables: example.variables,
    headers: null,
    response: null,
  }));
  storage.setItem(TABS, JSON.stringify({ tabs, activeTabIndex: 0 }));
  storage.setItem("graphiql:query", first.query);
  storage.setItem("graphiql:variables", first.variables);
  storage.setItem("graphiql:secondaryEditorFlex", "5"); // variables take a sixth of the height
}
