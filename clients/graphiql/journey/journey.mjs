// The browser journey: node journey/journey.mjs http://127.0.0.1:8080 shot.png
// Walks GraphiQL on a running server with the demo estate and exits with 1 and
// one sentence at the first thing that is wrong. It opens an incident and drafts
// a change, so point it at a database that may keep them.
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { chromium } from "playwright-core";

const TABS = ["BrowseTheCatalogue", "WhatBreaksIf", "WhatDoesItNeed", "OpenAnIncident", "PlanAChange", "WatchServices"];
const DATABASE = "orders-db-primary";

const [address, shot] = process.argv.slice(2);
if (!address || !shot) {
  console.error("usage: node journey/journey.mjs BASE_URL SCREENSHOT.png");
  process.exit(2);
}
const base = new URL(address);
const profile = mkdtempSync(join(tmpdir(), "linchpin-journey-"));
mkdirSync(dirname(resolve(shot)), { recursive: true });

/** What the browser complained of by itself; checked after every step. */
const complaints = [];
const requests = [];

function check(condition, sentence) {
  if (!condition) throw new Error(sentence);
}

const context = await chromium.launchPersistentContext(profile, {
  executablePath: process.env.CHROMIUM || "/usr/bin/chromium",
  headless: true,
  timeout: 180_000,
  viewport: { width: 1440, height: 900 },
  colorScheme: "light",
  args: [
    ...["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"],
    ...["--disable-background-networking", "--disable-component-update", "--disable-sync"],
    `--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE ${base.hostname}`,
  ],
});
context.setDefaultTimeout(60_000);
let page;

function watch() {
  const sameHost = (url) => ["data:", "blob:"].includes(new URL(url).protocol) || new URL(url).host === base.host;
  const note = (url) => {
    requests.push(url);
    if (!sameHost(url)) complaints.push(`a request went to another host: ${url}`);
  };
  context.on("request", (request) => note(request.url()));
  context.on("requestfailed", (request) => {
    const reason = request.failure()?.errorText ?? "";
    // A reload aborts what is still on its way.
    if (reason !== "net::ERR_ABORTED") complaints.push(`${request.url()} failed: ${reason}`);
  });
  context.on("response", (response) => {
    if (response.status() >= 400) complaints.push(`${response.url()} answered ${response.status()}`);
  });
  page.on("websocket", (socket) => note(socket.url()));
  page.on("pageerror", (error) => complaints.push(`the page threw: ${error.message}`));
  // Monaco only warns when its workers do not start, and whoever opens the console is to find their own messages alone.
  page.on("console", (line) => {
    complaints.push(`the console says: ${line.text()}`);
  });
}

const tabs = () => page.locator(".graphiql-tab-button");
const titles = async () => (await tabs().allTextContents()).map((title) => title.trim());

/** The whole text of an editor: Monaco draws only the lines in view. */
const text = (name) =>
  page.evaluate((end) => {
    const models = globalThis.__MONACO.editor.getModels();
    return models.find((model) => model.uri.path.endsWith(end))?.getValue() ?? "";
  }, name);

/** Waits until an editor holds a text. */
const holds = (name, part) =>
  page.waitForFunction(
    ([end, wanted]) => globalThis.__MONACO?.editor.getModels().some((model) => model.uri.path.endsWith(end) && model.getValue().includes(wanted)),
    [name, part],
  );

/** Waits until GraphiQL has stored what the open tab holds, half a second late: a tab that is closed before gives its name to another. */
const stored = (part) =>
  page.waitForFunction((wanted) => {
    const { tabs, activeTabIndex } = JSON.parse(localStorage.getItem("graphiql:tabState"));
    return tabs[activeTabIndex].query?.includes(wanted);
  }, part);

/** Asks again until something is so, for a minute. */
async function eventually(isSo, pause = 100) {
  for (const end = Date.now() + 60_000; Date.now() < end; await page.waitForTimeout(pause)) if (await isSo()) return true;
  return isSo();
}

async function open(title) {
  await tabs().getByText(title, { exact: true }).click();
  await page.waitForFunction((name) => {
    const models = globalThis.__MONACO.editor.getModels();
    return models.some((model) => model.uri.path.endsWith("operation.graphql") && model.getValue().includes(` ${name}(`));
  }, title);
}

async function run() {
  const [response] = await Promise.all([
    page.waitForResponse((r) => r.url() === new URL("/graphql", base).href && r.request().method() === "POST"),
    page.locator(".graphiql-execute-button").click(),
  ]);
  await response.finished();
  await page.waitForFunction(() => {
    const models = globalThis.__MONACO.editor.getModels();
    return models.some((model) => model.uri.path.endsWith("response.json") && model.getValue().length > 2);
  });
  const shown = await text("response.json");
  const answer = JSON.parse(shown);
  check(!answer.errors, `GraphiQL shows an error where data was expected: ${JSON.stringify(answer).slice(0, 600)}`);
  await page.locator(".result-window .view-lines", { hasText: "data" }).waitFor();
  return answer.data;
}

async function fill(name, content) {
  await page.evaluate(
    ([end, value]) => {
      const models = globalThis.__MONACO.editor.getModels();
      models.find((model) => model.uri.path.endsWith(end)).setValue(value);
    },
    [name, content],
  );
}

/** Waits until neither the operation nor its variables are marked as wrong. */
async function unmarked() {
  await page.waitForFunction(() => document.querySelectorAll(".graphiql-editors .squiggly-error").length === 0);
}

const steps = {
  async "GraphiQL loads"() {
    const [introspection] = await Promise.all([
      page.waitForResponse((r) => (r.request().postData() ?? "").includes("IntrospectionQuery")),
      page.goto(base.href),
    ]);
    check((await introspection.json().catch(() => null))?.data?.__schema, "the server does not answer GraphiQL's introspection");
    check((await page.title()) === "Linchpin · GraphiQL", `the title is ${await page.title()}`);
    await page.locator(".graphiql-query-editor .view-line").first().waitFor();
    await page.getByText("Linchpin", { exact: true }).waitFor();
    // The page waits two seconds for the id of a CI that its examples name; a busy machine may take longer.
    const lacksCI = () => page.evaluate(() => localStorage.getItem("graphiql:tabState")?.includes("ci_…"));
    for (let i = 0; i < 5 && (await lacksCI()); i++) {
      await page.evaluate(() => localStorage.clear());
      await page.reload();
      await page.locator(".graphiql-query-editor .view-line").first().waitFor();
    }
  },

  async "the six prepared tabs are there"() {
    check((await titles()).join() === TABS.join(), `the tabs are ${await titles()}`);
    await holds("variables.json", "tier");
  },

  async "the catalogue can be browsed"() {
    await open("BrowseTheCatalogue");
    const { services } = await run();
    check(services.totalCount > 0 && services.nodes.length > 0, "no tier-1 service is in the catalogue");
    check(services.nodes.every((node) => node.name && node.operationalState), "a service has no name or state");
  },

  async "what breaks if the database fails is answered"() {
    await open("WhatBreaksIf");
    const { ci } = await run();
    check(ci?.name === DATABASE, `the demo estate has no CI ${DATABASE}`);
    check(ci.impact.affected.totalCount > 0, `nothing is affected by ${DATABASE}`);
    check(ci.impact.services.nodes.length > 0, `no service is affected by ${DATABASE}`);
    check(ci.impact.affected.nodes.some((node) => node.proof?.summary), "no affected CI comes with a proof");
    await unmarked();
    await page.screenshot({ path: shot });
  },

  async "what it needs is answered"() {
    await open("WhatDoesItNeed");
    const { ci } = await run();
    check(ci?.name === DATABASE, `the demo estate has no CI ${DATABASE}`);
    check(JSON.stringify(ci).includes('"distance"'), `${DATABASE} needs nothing`);
  },

  async "an incident can be opened"() {
    await open("OpenAnIncident");
    const { ci } = JSON.parse(await text("variables.json"));
    check(/^ci_[0-9a-zA-Z]+$/.test(ci), `the tab OpenAnIncident has no CI filled in: ${ci}`);
    const { openIncident: opened } = await run();
    check(opened.userErrors.length === 0, `the incident was refused: ${JSON.stringify(opened.userErrors)}`);
    check(/^INC\d{7}$/.test(opened.incident.number), `the incident's number is ${opened.incident.number}`);
    check(/^inc_/.test(opened.incident.id), "the incident has no id for what is done next");
    check(opened.incident.affectedServices.nodes.length > 0, "the incident affects no service");
  },

  async "a change can be planned"() {
    await open("PlanAChange");
    const { draftChange: drafted } = await run();
    check(drafted.userErrors.length === 0, `the change was refused: ${JSON.stringify(drafted.userErrors)}`);
    check(/^CHG\d{7}$/.test(drafted.change.number), `the change's number is ${drafted.change.number}`);
  },

  async "services are watched from where the page was opened"() {
    await open("WatchServices");
    const { after } = JSON.parse(await text("variables.json"));
    check(Number.isInteger(after), `the tab WatchServices has no revision filled in: ${after}`);
    await page.locator(".graphiql-execute-button").click();
    const heard = async () => (await text("response.json")).includes('"to": "DOWN"');
    check(await eventually(heard), "WatchServices does not tell what the incident did that was opened in another tab");
    await page.locator(".graphiql-execute-button").click(); // it stops the subscription
  },

  async "the documentation opens on Query, by concept, and finds words"() {
    await page.getByRole("button", { name: "Show Documentation Explorer" }).click();
    const docs = page.getByRole("region", { name: "Reference" });
    await docs.getByRole("button", { name: "Query", exact: true, current: true }).waitFor();
    await docs.getByRole("region", { name: "Services", exact: true }).getByRole("button", { name: /^services / }).click();
    const description = docs.locator(".graphiql-doc-explorer-content .graphiql-markdown-description").first();
    check((await description.innerText()).trim().length > 10, "the field services has no description in the documentation");
    await docs.getByRole("searchbox").fill("who is down");
    const found = docs.getByRole("list", { name: "Found" }).getByRole("button");
    check((await found.count()) > 3, `"who is down" finds ${await found.count()} places in the documentation`);
    await found.first().click();
    await description.waitFor();
    await page.getByRole("button", { name: "Hide Documentation Explorer" }).click();
  },

  async "it fits a small laptop and a tablet"() {
    const before = page.viewportSize();
    for (const [width, height] of [[1280, 720], [1024, 768], [768, 1024]]) {
      await page.setViewportSize({ width, height });
      const size = () => page.evaluate(() => {
        const of = (name) => document.querySelector(name).getBoundingClientRect();
        const { scrollWidth, scrollHeight } = document.documentElement;
        const [query, variables, button, answer] = [".graphiql-query-editor", ".graphiql-editor-tool", ".graphiql-execute-button", ".result-window"].map(of);
        return { scrollWidth, scrollHeight, query: query.height, width: query.width, variables: variables.height, right: button.right, bottom: button.bottom, answer: answer.width };
      });
      const fits = async () => {
        const s = await size();
        return s.scrollWidth <= width && s.scrollHeight <= height && s.right <= width && s.bottom <= height && s.width > 200 && s.answer > 200 && s.query > 2 * s.variables;
      };
      check(await eventually(fits), `at ${width} × ${height} the page does not fit: ${JSON.stringify(await size())}`);
    }
    await page.setViewportSize(before);
  },

  async "the examples open from their pane"() {
    await page.getByRole("button", { name: "Show Examples" }).click();
    await page.getByRole("button", { name: /^Browse the catalogue/ }).click();
    await page.locator(".graphiql-tab-active", { hasText: "BrowseTheCatalogue" }).waitFor();
    check((await titles()).join() === TABS.join(), `opening an example that has a tab made another: ${await titles()}`);
    await page.getByRole("button", { name: "Hide Examples" }).click();
  },

  async "typing suggests fields of the schema"() {
    await page.getByRole("button", { name: "New tab" }).click();
    await fill("operation.graphql", "");
    await page.locator(".graphiql-query-editor .monaco-editor").first().click();
    await page.keyboard.type("{ servic", { delay: 40 });
    const suggestion = page.locator(".suggest-widget.visible .label-name", { hasText: /^services$/ });
    await suggestion.first().waitFor();
    check(await eventually(() => page.workers().length >= 2), `only ${page.workers().length} of the editors' workers run`);
    await page.keyboard.press("Escape");
    await stored("servic");
    await page.locator(".graphiql-tab-active .graphiql-tab-close").click();
    await holds("operation.graphql", "WatchServices");
    await stored("WatchServices");
    check((await titles()).length === TABS.length, "the tab that was opened last did not close");
  },

  async "a subscription hears what somebody else writes"() {
    await page.getByRole("button", { name: "New tab" }).click();
    await fill("operation.graphql", "subscription Watch { journal { revision entries { verb actor } } }");
    await page.locator(".graphiql-tab-active", { hasText: "Watch" }).waitFor();
    const acknowledged = page.waitForEvent("websocket").then((socket) =>
      socket.waitForEvent("framereceived", (frame) => String(frame.payload).includes("connection_ack")),
    );
    await page.locator(".graphiql-execute-button").click();
    await acknowledged;
    // The subscription begins a moment after the connection: somebody writes until it is heard.
    const heard = async () => (await text("response.json")).includes('"actor": "grace"');
    const write = async () => {
      const response = await fetch(new URL("/graphql", base), {
        method: "POST",
        headers: { "Content-Type": "application/json", "Linchpin-Actor": "grace" },
        body: JSON.stringify({ query: `mutation { createTeam(input: { name: "Journey ${Date.now()}" }) { userErrors { message } } }` }),
      });
      const { data } = await response.json();
      check(data?.createTeam.userErrors.length === 0, `the team was refused: ${JSON.stringify(data)}`);
    };
    check(await eventually(async () => (await heard()) || (await write()), 500), "GraphiQL shows nothing of what grace wrote");
    await page.locator(".graphiql-execute-button").click(); // it stops the subscription
    await stored("subscription Watch ");
    await page.locator(".graphiql-tab-active .graphiql-tab-close").click();
    check(await eventually(async () => (await titles()).join() === TABS.join()), `after the subscription the tabs are ${await titles()}`);
  },

  async "a wrong field is marked"() {
    await open("BrowseTheCatalogue");
    const before = await text("operation.graphql");
    await fill("operation.graphql", before.replace("totalCount", "totalCuont"));
    await page.locator(".graphiql-query-editor .squiggly-error").first().waitFor();
    await fill("operation.graphql", before);
    await unmarked();
  },

  async "a reload keeps the tabs and adds none"() {
    for (const title of ["WhatBreaksIf", "BrowseTheCatalogue"]) {
      await open(title);
      await page.waitForFunction((name) => { // GraphiQL stores its tabs half a second late.
        const { tabs, activeTabIndex } = JSON.parse(localStorage.getItem("graphiql:tabState"));
        return tabs[activeTabIndex].title === name;
      }, title);
      await page.reload();
      await page.locator(".graphiql-query-editor .view-line").first().waitFor();
      check((await titles()).join() === TABS.join(), `after a reload the tabs are ${await titles()}`);
      const active = (await page.locator(".graphiql-tab-active").innerText()).trim();
      check(active === title, `after a reload the tab ${active} is open, not ${title}`);
    }
    await holds("variables.json", "tier");
  },

  async "dark follows the system"() {
    await page.emulateMedia({ colorScheme: "dark" });
    const lightness = await page.evaluate(() => {
      const [r, g, b] = getComputedStyle(document.querySelector(".graphiql-container")).backgroundColor.match(/\d+/g).map(Number);
      return (r + g + b) / 3;
    });
    check(lightness < 100, `with a dark system the page's background is ${lightness} of 255`);
  },
};

let current = "";
try {
  page = context.pages()[0] ?? (await context.newPage());
  watch();
  for (const [name, step] of Object.entries(steps)) {
    current = name;
    await step();
    check(complaints.length === 0, complaints[0]);
    console.log(`ok   ${name}`);
  }
  check(requests.length > 10, `only ${requests.length} requests were seen, so the watch on other hosts saw nothing`);
  console.log(`The journey is complete: ${requests.length} requests, all to ${base.host}; screenshot ${shot}`);
} catch (error) {
  const reasons = [error.message.split("\n")[0], ...complaints.filter((complaint) => complaint !== error.message)];
  console.error(`FAIL ${current}: ${reasons.join(" | also: ")}`);
  await page?.screenshot({ path: shot }).catch(() => {});
  process.exitCode = 1;
} finally {
  await context.close();
  rmSync(profile, { recursive: true, force: true });
}
