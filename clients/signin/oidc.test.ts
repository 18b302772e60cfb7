import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import Provider from "oidc-provider";
import { afterAll, beforeAll, expect, inject, test } from "vitest";

// A real provider, in which ada is in the group of admins, and mallory has her name and e-mail address and is in none.
const people: Record<string, Record<string, unknown>> = {
  ada: { name: "Ada", email: "ada@example.org", groups: ["cmdb-admins"] },
  mallory: { name: "Ada", email: "ada@example.org", email_verified: true, groups: ["staff"] },
};

const folder = mkdtempSync(join(tmpdir(), "linchpin-oidc-"));
let provider: Server;
let issuer: string;
let linchpin: string;
let stop: () => Promise<void>;

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

beforeAll(async () => {
  const port = await freePort();
  linchpin = `http://127.0.0.1:${port}`;
  provider = createServer();
  await new Promise<void>((resolve) => provider.listen(0, "127.0.0.1", resolve));
  issuer = `http://127.0.0.1:${(provider.address() as AddressInfo).port}`;
  const oidc = new Provider(issuer, {
    clients: [
      {
        client_id: "linchpin",
        client_secret: "a secret that both know",
        redirect_uris: [`${linchpin}/auth/callback`],
        post_logout_redirect_uris: [`${linchpin}/auth/sign-in`],
      },
    ],
    claims: { openid: ["sub", "groups"], profile: ["name"], email: ["email", "email_verified"] },
    pkce: { required: () => true },
    findAccount: (_ctx: unknown, id: string) => ({ accountId: id, claims: () => ({ sub: id, ...people[id] }) }),
    cookies: { keys: ["only for this test"] },
  });
  provider.on("request", oidc.callback());
  const secret = join(folder, "secret");
  writeFileSync(secret, "a secret that both know\n");
  const server = spawn(
    inject("program"),
    [
      ...["serve", "--listen", `127.0.0.1:${port}`, "--drain-delay", "0s", "--database", `sqlite:${join(folder, "linchpin.db")}`],
      ...["--oidc-issuer", issuer, "--oidc-client-id", "linchpin", "--oidc-client-secret-file", secret, "--admin-group", "cmdb-admins"],
    ],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  const ended = new Promise<void>((resolve) => server.once("exit", () => resolve()));
  stop = () => {
    server.kill("SIGTERM");
    return ended;
  };
  const said: string[] = [];
  await new Promise<void>((resolve, reject) => {
    createInterface(server.stdout).on("line", (line) => {
      said.push(line);
      if (line.startsWith("Stop with")) resolve();
    });
    server.once("exit", (code) => reject(new Error(`linchpin serve ended with ${code}`)));
  });
  expect(said.join("\n")).not.toContain("Setup");
});

afterAll(async () => {
  await stop?.();
  provider?.close();
  rmSync(folder, { recursive: true, force: true });
});

/** A browser: cookies of each host and port, and redirects that are followed. */
class Browser {
  private jars = new Map<string, Map<string, string>>();

  async go(address: string, form?: Record<string, string>): Promise<{ url: string; status: number; text: string }> {
    for (let hops = 0; hops < 20; hops++) {
      const { origin } = new URL(address);
      const jar = this.jars.get(origin) ?? new Map<string, string>();
      this.jars.set(origin, jar);
      const response = await fetch(address, {
        redirect: "manual",
        headers: { cookie: [...jar].map(([name, value]) => `${name}=${value}`).join("; ") },
        ...(form && { method: "POST", body: new URLSearchParams(form) }),
      });
      for (const cookie of response.headers.getSetCookie()) {
        const [, name, value] = /^([^=]+)=([^;]*)/.exec(cookie) ?? [];
        if (!name) continue;
        if (/max-age=0|expires=thu, 01 jan 1970/i.test(cookie) || value === "") jar.delete(name);
        else jar.set(name, value!);
      }
      const to = response.headers.get("location");
      if (!to || response.status < 300 || response.status > 399) return { url: address, status: response.status, text: await response.text() };
      address = new URL(to, address).href;
      form = undefined;
    }
    throw new Error("it redirects for ever");
  }

  /** Signs in at the provider, and agrees to what it asks. */
  async signIn(who: string, back: string) {
    let page = await this.go(`${linchpin}/auth/login?return=${encodeURIComponent(back)}`);
    for (let step = 0; step < 3 && page.url.startsWith(issuer); step++) {
      const action = /action="([^"]+)"/.exec(page.text)![1]!;
      const prompt = /name="prompt" value="([^"]+)"/.exec(page.text)![1]!;
      page = await this.go(new URL(action, page.url).href, { prompt, login: who, password: "any" });
    }
    return page;
  }

  async viewer() {
    const query = encodeURIComponent("{ viewer { name via roles } }");
    return (await this.go(`${linchpin}/graphql?query=${query}`)).text;
  }
}

test("a person comes in by the provider, with the roles of their groups, to where they were going", async () => {
  const browser = new Browser();
  const page = await browser.signIn("ada", "/?query=%7Bviewer%7D");
  expect(page.url).toBe(`${linchpin}/?query=%7Bviewer%7D`);
  expect(page.status).toBe(200);
  expect(await browser.viewer()).toContain('{"name":"Ada","via":"SESSION","roles":["ADMIN"]}');
});

test("a namesake is somebody else, whom nothing gives a role", async () => {
  const browser = new Browser();
  const page = await browser.signIn("mallory", "/");
  expect(page.status).toBe(403);
  expect(page.text).toContain("No role yet");
  expect(await browser.viewer()).toContain("UNAUTHENTICATED");
});

test("who signs out here is led to sign out there", async () => {
  const browser = new Browser();
  await browser.signIn("ada", "/");
  const page = await browser.go(`${linchpin}/auth/sign-out`, {});
  expect(page.url).toContain(`${issuer}/session/end`);
  expect(page.status).toBe(200);
  expect(await browser.viewer()).toContain("UNAUTHENTICATED");
});
