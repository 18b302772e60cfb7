import { expect, test, vi } from "vitest";
import { fillIn } from "./demo";
import { examples, firstSteps } from "./examples";

const idsOf = (list: typeof examples) => list.flatMap(({ variables }) => JSON.parse(variables).ci ?? []);
const nobody = { ciByExternalId: null, services: { nodes: [] }, cis: { nodes: [] } };

test.each([
  ["the demo estate's database", { ...nobody, ciByExternalId: { id: "ci_1z" }, services: { nodes: [{ ci: { id: "ci_2" } }] } }, "ci_1z"],
  ["the first service of another estate", { ...nobody, services: { nodes: [{ ci: { id: "ci_2" } }] }, cis: { nodes: [{ id: "ci_3" }] } }, "ci_2"],
  ["any CI where there are no services", { ...nobody, cis: { nodes: [{ id: "ci_3" }] } }, "ci_3"],
])("the examples get the id of %s", async (_, data, id) => {
  const filled = await fillIn(examples, async () => ({ data, extensions: { revision: 34 } }));
  expect(idsOf(filled)).toEqual([id, id, id, id]);
  expect(filled.map(({ name }) => name)).toEqual(examples.map(({ name }) => name));
  expect(idsOf(examples)).toEqual(["ci_…", "ci_…", "ci_…", "ci_…"]);
});

test("what listens begins with the revision of now", async () => {
  const filled = await fillIn(examples, async () => ({ data: nobody, extensions: { revision: 34 } }));
  expect(filled.filter(({ variables }) => JSON.parse(variables).after === 34)).toHaveLength(1);
});

test("an empty estate gets an example that makes a first CI", async () => {
  const filled = await fillIn(examples, async () => ({ data: nobody }));
  expect(filled.map(({ name }) => name)).toEqual([...firstSteps, ...examples].map(({ name }) => name));
});

test("the placeholder stays when the server refuses", async () => {
  expect(await fillIn(examples, async () => ({ errors: [] }))).toBe(examples);
});

test("a server that is slow does not hold the page up", async () => {
  vi.useFakeTimers();
  const filled = fillIn(examples, () => new Promise(() => {}));
  await vi.advanceTimersByTimeAsync(2000);
  expect(await filled).toBe(examples);
  vi.useRealTimers();
});
