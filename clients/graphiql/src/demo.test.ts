import { expect, test, vi } from "vitest";
import { fillIn } from "./demo";
import { examples } from "./examples";

const idsOf = (list: typeof examples) => list.flatMap(({ variables }) => JSON.parse(variables).ci ?? []).filter((ci) => /^ci_/.test(ci));

test("mutations get the id of the demo estate's database", async () => {
  const filled = await fillIn(examples, async () => ({ data: { ciByExternalId: { id: "ci_1z" } } }));
  expect(idsOf(filled)).toEqual(["ci_1z", "ci_1z"]);
  expect(idsOf(examples)).toEqual(["ci_…", "ci_…"]);
});

test.each([
  ["has no such CI", { data: { ciByExternalId: null } }],
  ["refuses", { errors: [] }],
])("the placeholder stays when the server %s", async (_, answer) => {
  expect(await fillIn(examples, async () => answer)).toBe(examples);
});

test("a server that is slow does not hold the page up", async () => {
  vi.useFakeTimers();
  const filled = fillIn(examples, () => new Promise(() => {}));
  await vi.advanceTimersByTimeAsync(2000);
  expect(await filled).toBe(examples);
  vi.useRealTimers();
});
