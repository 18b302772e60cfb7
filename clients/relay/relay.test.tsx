import { Window } from "happy-dom";
import { type ReactNode, Suspense } from "react";
import { RelayEnvironmentProvider } from "react-relay";
import { commitLocalUpdate } from "relay-runtime";
import { afterAll, expect, inject, test, vi } from "vitest";
import { ROWS } from "../server";
import { connect } from "./environment";
import { Rows } from "./rows";
import { NewTeam, Team } from "./team";

// A page for React alone: the requests are Node's own.
const window = new Window();
for (const [name, value] of Object.entries({ window, document: window.document, navigator: window.navigator })) vi.stubGlobal(name, value);
afterAll(() => window.happyDOM.close());
const { createRoot } = await import("react-dom/client");

const url = `${inject("server")}/graphql`;

/** Shows an element in a page of its own. */
function show(element: ReactNode) {
  const { environment, sent } = connect(url);
  const page = document.createElement("main");
  document.body.append(page);
  createRoot(page).render(
    <RelayEnvironmentProvider environment={environment}>
      <Suspense fallback="loading">{element}</Suspense>
    </RelayEnvironmentProvider>,
  );
  return { environment, page, sent };
}

test("a list pages through all rows and meets each once", async () => {
  const { page, sent } = show(<Rows />);
  await expect.poll(() => page.querySelector("ol")?.dataset.loaded).toBe("true");
  const names = [...page.querySelectorAll("li")].map((row) => row.textContent);
  expect(new Set(names).size).toBe(ROWS);
  expect(names).toHaveLength(ROWS);
  expect(page.querySelector("ol")?.dataset.total).toBe(String(ROWS));
  expect(sent).toEqual(["rowsQuery", ...Array.from({ length: ROWS / 100 - 1 }, () => "rowsPaginationQuery")]);
});

test("a record is asked for anew by its id", async () => {
  const form = show(<NewTeam name="Relay" />);
  await expect.poll(() => form.page.querySelector("button")).toBeTruthy();
  const button = form.page.querySelector("button")!;
  button.click();
  await expect.poll(() => button.dataset.id).toMatch(/^team_/);

  const { environment, page, sent } = show(<Team id={button.dataset.id!} />);
  await expect.poll(() => page.querySelector("p")?.textContent).toBe("Relay: ");
  commitLocalUpdate(environment, (store) => store.get(button.dataset.id!)?.setValue("Stale", "name"));
  await expect.poll(() => page.querySelector("p")?.textContent).toBe("Stale: ");
  page.querySelector("button")!.click();
  await expect.poll(() => page.querySelector("p")?.textContent).toBe("Relay: ");
  expect(sent).toEqual(["teamQuery", "teamRefetchQuery"]);
});

test("what a person can mend reaches the form", async () => {
  const { page } = show(<NewTeam name="" />);
  await expect.poll(() => page.querySelector("button")).toBeTruthy();
  const button = page.querySelector("button")!;
  button.click();
  await expect.poll(() => button.dataset.problems).toMatch(/^[A-Z]+ name$/);
});
