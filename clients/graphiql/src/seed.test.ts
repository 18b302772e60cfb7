import { expect, test } from "vitest";
import { examples } from "./examples";
import { hasTabs, seedTabs } from "./seed";

function storage(entries: Record<string, string> = {}) {
  const map = new Map(Object.entries(entries));
  return {
    getItem: (key: string) => map.get(key) ?? null,
    setItem: (key: string, value: string) => void map.set(key, value),
  };
}

test("a new browser gets a tab for each example, with its variables", () => {
  const store = storage();
  expect(hasTabs(store)).toBe(false);
  seedTabs(store, examples);
  expect(hasTabs(store)).toBe(true);
  const state = JSON.parse(store.getItem("graphiql:tabState")!);
  expect(state.activeTabIndex).toBe(0);
  expect(state.tabs.map((tab: { title: string }) => tab.title)).toEqual([
    "BrowseTheCatalogue",
    "WhatBreaksIf",
    "WhatDoesItNeed",
    "OpenAnIncident",
    "PlanAChange",
    "WatchServices",
  ]);
  for (const [index, tab] of state.tabs.entries()) {
    expect(tab.query).toBe(examples[index]!.query);
    expect(tab.variables).toBe(examples[index]!.variables);
  }
});

test("query and variables equal the first tab, or GraphiQL would add another", () => {
  const store = storage();
  seedTabs(store, examples);
  const [first] = JSON.parse(store.getItem("graphiql:tabState")!).tabs;
  expect(store.getItem("graphiql:query")).toBe(first.query);
  expect(store.getItem("graphiql:variables")).toBe(first.variables);
});

test("a person's own tabs are found", () => {
  const own = JSON.stringify({ tabs: [{ id: "1", title: "Mine", query: "{ a }" }], activeTabIndex: 0 });
  expect(hasTabs(storage({ "graphiql:tabState": own }))).toBe(true);
});

test.each(["not json", "null", "{}", '{"tabs":[]}', '{"tabs":3}'])("stored tabs %j are none", (stored) => {
  expect(hasTabs(storage({ "graphiql:tabState": stored }))).toBe(false);
});
