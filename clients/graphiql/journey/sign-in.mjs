// The journey of people who sign in: node journey/sign-in.mjs SETUP_LINK
// Walks the pages where people sign in, on a server whose database is empty,
// and exits with 1 and one sentence at the first thing that is wrong. Each page
// is looked through by axe, light and dark, and has to fit a phone.
import axe from "axe-core";
import { chromium } from "playwright-core";

const [link] = process.argv.slice(2);
if (!link?.includes("#")) {
  console.error("usage: node journey/sign-in.mjs SETUP_LINK");
  process.exit(2);
}
const base = new URL(link).origin;
const PHRASE = "correct horse battery staple";

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM || "/usr/bin/chromium",
  timeout: 180_000,
  args: [
    ...["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"],
    ...["--disable-background-networking", "--disable-component-update", "--disable-sync"],
    `--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE ${new URL(base).hostname}`,
  ],
});

function check(condition, sentence) {
  if (!condition) throw new Error(sentence);
}

/** A browser of somebody's own. */
async function person() {
  // axe is put into the page past its policy, which lets no script in.
  const context = await browser.newContext({ bypassCSP: true, viewport: { width: 1280, height: 720 } });
  context.setDefaultTimeout(60_000);
  return context.newPage();
}

/** Looks a page through, light and dark, and on a phone. */
async function look(page, name) {
  for (const colorScheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme });
    await page.evaluate(axe.source);
    const { violations } = await page.evaluate(() => globalThis.axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"] }));
    const found = violations.map((v) => `${v.id}: ${v.nodes.map((node) => node.target).join(", ")}`);
    check(found.length === 0, `${name}, ${colorScheme}: ${found.join("; ")}`);
  }
  await page.emulateMedia({ colorScheme: "light" });
  await page.setViewportSize({ width: 360, height: 640 });
  const wide = await page.evaluate(() => document.documentElement.scrollWidth);
  check(wide <= 360, `${name} is ${wide} wide on a phone of 360`);
  await page.setViewportSize({ width: 1280, height: 720 });
}

/** Asks the API as the page does. */
async function ask(page, query, variables = {}) {
  const [status, answer] = await page.evaluate(
    async ([text, values]) => {
      const response = await fetch("/graphql", {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ query: text, variables: values }),
      });
      return [response.status, await response.json()];
    },
    [query, variables],
  );
  return { status, ...answer };
}

/** Carries a mutation out, and returns what it answers. */
async function act(page, query, variables) {
  const answer = await ask(page, query, variables);
  const [payload] = Object.values(answer.data ?? {});
  check(payload && !answer.errors && payload.userErrors.length === 0, `${query.slice(0, 60)}…: ${JSON.stringify(answer).slice(0, 400)}`);
  return payload;
}

/** Takes a link: the code stands in the address and in the form. */
async function claim(page, address, name, about) {
  await page.goto(address);
  await page.getByRole("heading", { name: "Choose a name and a password" }).waitFor();
  check((await page.getByLabel(/^Code of the link/).inputValue()).startsWith("lpl_"), `${about}: the code is not filled in`);
  await look(page, about);
  await page.getByLabel("Name to sign in with").fill(name);
  await page.getByLabel("Password").fill("too short");
  await page.getByRole("button", { name: "Sign in" }).click();
  check(new URL(page.url()).pathname === "/auth/link", `${about}: a short password is taken`);
  await page.getByLabel("Password").fill(PHRASE);
  await page.getByRole("button", { name: "Sign in" }).click();
  await arrived(page, name);
}

const account = (page) => page.locator(".linchpin-account");

/** Waits for GraphiQL, which says who one is. */
async function arrived(page, name) {
  await page.waitForURL(`${base}/`);
  await page.locator(".graphiql-query-editor .view-line").first().waitFor();
  await account(page).filter({ hasText: name }).waitFor();
}

const titles = async (page) => (await page.locator(".graphiql-tab-button").allTextContents()).map((title) => title.trim()).join();

const CHANGE = `mutation($ci: ID!) { draftChange(input: {type: NORMAL, title: "New disks", plan: "swap", backoutPlan: "swap back",
  justification: "full", plannedStart: "2040-01-10T22:00:00Z", plannedEnd: "2040-01-10T23:00:00Z", scope: [{id: $ci}]}) { change { id } userErrors { message } } }`;

const root = await person();
const grace = await person();
let change, bearer, before;

const steps = {
  async "a stranger is led to the page where people sign in"() {
    await root.goto(base);
    check(new URL(root.url()).pathname === "/auth/sign-in", `a stranger sees ${root.url()}`);
    await look(root, "the page where people sign in");
  },

  async "the setup link makes the first admin, once"() {
    await claim(root, link, "root", "the setup page");
    await grace.goto(link);
    await grace.getByLabel("Name to sign in with").fill("mallory");
    await grace.getByLabel("Password").fill(PHRASE);
    await grace.getByRole("button", { name: "Sign in" }).click();
    await grace.getByRole("alert").waitFor();
    await look(grace, "the setup page, taken");
  },

  async "an invitation lets a second person in"() {
    const { account: made, secret } = await act(
      root,
      `mutation { inviteAccount(input: {name: "grace", roles: [CHANGE_MANAGER]}) { account { id } secret userErrors { message } } }`,
    );
    await claim(grace, new URL(secret, base).href, "grace", "the invitation");
    grace.account = made.id;
  },

  async "a change takes a second person's vote"() {
    const { ci } = await act(root, `mutation { createCI(input: {name: "db-1", class: "server"}) { ci { id } userErrors { message } } }`);
    ({ change } = await act(root, CHANGE, { ci: ci.id }));
    await act(root, `mutation($id: ID!) { assessChange(input: {id: $id}) { change { state } userErrors { message } } }`, { id: change.id });
    await act(root, `mutation($id: ID!, $who: ID!) { requestChangeApproval(input: {id: $id, approverAccounts: [$who]}) { change { state } userErrors { message } } }`, {
      id: change.id,
      who: grace.account,
    });
    const vote = `mutation($id: ID!) { approveChange(input: {id: $id}) { change { state viewerCanVote } userErrors { message } } }`;
    const own = await ask(root, vote, { id: change.id });
    check(JSON.stringify(own).includes("FORBIDDEN") || own.data?.approveChange?.userErrors.length > 0, `who drafted the change votes for it: ${JSON.stringify(own)}`);
    const { data } = await ask(grace, `{ changes(filter: {awaitingMyVote: true}) { totalCount } }`);
    check(data.changes.totalCount === 1, `grace is told of ${data.changes.totalCount} votes that she is asked for`);
    await act(grace, vote, { id: change.id });
    await act(root, `mutation($id: ID!) { scheduleChange(input: {id: $id}) { change { state } userErrors { message } } }`, { id: change.id });
  },

  async "a token is for programs, and narrows"() {
    const { secret } = await act(grace, `mutation { createApiToken(input: {name: "portal", roles: [VIEWER]}) { secret userErrors { message } } }`);
    bearer = async (query) => {
      const response = await fetch(`${base}/graphql`, {
        method: "POST",
        headers: { "Content-Type": "application/json", Authorization: `Bearer ${secret}` },
        body: JSON.stringify({ query }),
      });
      return [response.status, await response.text()];
    };
    const [status, who] = await bearer("{ viewer { name via roles } }");
    check(status === 200 && who.includes('"via":"TOKEN","roles":["VIEWER"]'), `a token is answered ${status} ${who}`);
    const [, wrote] = await bearer(`mutation { createChangeWindow(input: {name: "x", kind: BLACKOUT}) { userErrors { message } } }`);
    check(!wrote.includes('"userErrors":[]'), `a token of a viewer writes: ${wrote}`);
  },

  async "a command line is let in by the code that its person types"() {
    const begin = await fetch(`${base}/auth/device/begin`, { method: "POST", body: new URLSearchParams({ host: "laptop", role: "VIEWER" }) });
    const { user_code: code, device_code } = await begin.json();
    const poll = async () => (await fetch(`${base}/auth/device/token`, { method: "POST", body: new URLSearchParams({ device_code }) })).status;
    const tab = await root.context().newPage();
    await tab.goto(`${base}/auth/device?code=${code}`);
    check((await tab.getByLabel("Code").inputValue()) === "", "a link fills the code in");
    await look(tab, "the page for codes");
    await tab.getByLabel("Code").fill("BCDF-GHJK");
    await tab.getByRole("button", { name: "Go on" }).click();
    await tab.getByRole("alert").waitFor();
    await look(tab, "the page for codes, with a wrong one");
    await tab.getByLabel("Code").fill(code.toLowerCase());
    await tab.getByRole("button", { name: "Go on" }).click();
    await tab.getByRole("heading", { name: "Is this you?" }).waitFor();
    await look(tab, "the page that says which command line asks");
    check((await tab.locator("main").innerText()).includes("laptop"), "the page does not say who asks");
    check((await poll()) === 400, "a command line is in before its person says so");
    await tab.getByRole("button", { name: "Let it in" }).click();
    await tab.getByRole("heading", { name: "It is in" }).waitFor();
    await look(tab, "the page that says that it is in");
    check((await poll()) === 200, "a command line that was let in is not");
    await tab.close();
  },

  async "a disabled account is out at once, on its page and by its token"() {
    await act(root, `mutation($id: ID!) { disableAccount(input: {id: $id}) { account { id } userErrors { message } } }`, { id: grace.account });
    const [status] = await bearer("{ viewer { name } }");
    check(status === 401, `the token of a disabled account is answered ${status}`);
    await grace.locator(".graphiql-execute-button").click();
    await account(grace).getByRole("link", { name: "Sign in" }).click();
    await grace.getByLabel("Name").fill("grace");
    await grace.getByLabel("Password").fill(PHRASE);
    await grace.getByRole("button", { name: "Sign in" }).click();
    await grace.getByRole("alert").waitFor();
    await look(grace, "the page where people sign in, with a refusal");
  },

  async "who signs out and in again finds the same tabs"() {
    await root.getByRole("button", { name: "New tab" }).click();
    await root.evaluate(() => globalThis.__MONACO.editor.getModels().find((model) => model.uri.path.endsWith("operation.graphql")).setValue("query MyOwn { viewer { name } }"));
    await root.locator(".graphiql-tab-active", { hasText: "MyOwn" }).waitFor();
    await root.waitForFunction(() => localStorage.getItem("graphiql:tabState")?.includes("query MyOwn"));
    before = await titles(root);
    await account(root).getByRole("link", { name: "Sign out" }).click();
    await root.getByRole("heading", { name: "Sign out" }).waitFor();
    await look(root, "the page where one signs out");
    await root.getByRole("button", { name: "Sign out" }).click();
    await root.getByRole("heading", { name: "Sign in" }).waitFor();
    check((await ask(root, "{ viewer { name } }")).status === 401, "who has signed out is still known");
    await root.goto(base);
    await root.getByLabel("Name").fill("root");
    await root.getByLabel("Password").fill(PHRASE);
    await root.getByRole("button", { name: "Sign in" }).click();
    await arrived(root, "root");
    check((await titles(root)) === before, `the tabs were ${before}, and are ${await titles(root)}`);
  },
};

let current = "";
try {
  for (const [name, step] of Object.entries(steps)) {
    current = name;
    await step();
    console.log(`ok   ${name}`);
  }
} catch (error) {
  console.error(`FAIL ${current}: ${error.message.split("\n")[0]}`);
  process.exitCode = 1;
} finally {
  await browser.close();
}
