// The admin's pages, and the page of the official Admin UI, in Chromium.
import { createServer } from "node:http";
import { readFile } from "node:fs/promises";
import { dirname, extname, join, normalize } from "node:path";

const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-dev-shm-usage",
  "--disable-background-networking",
  "--disable-component-update",
  // What a test answers in place of the server comes, for Chromium, from no local address.
  "--disable-features=LocalNetworkAccessChecks",
];
const DEADLINE = 40_000;
const PAGES = ["serverprocess", "connection", "room", "trafficsample", "namespace"];
const SIZES = { wide: { width: 1280, height: 900 }, phone: { width: 390, height: 844 } };

async function withBrowser(t, use) {
  const { chromium } = t.require("playwright-core");
  const browser = await chromium.launch({ executablePath: t.params.chromium, args: FLAGS });
  try {
    return await use(browser);
  } finally {
    await browser.close();
  }
}

// Every page, wide and narrow, light and dark, under the strictest policy that they promise to bear.
export async function admin_pages(t) {
  return withBrowser(t, async (browser) => {
    const problems = [];
    const wider = [];
    let moved = 0;
    for (const colorScheme of ["light", "dark"]) {
      for (const [size, viewport] of Object.entries(SIZES)) {
        const context = await browser.newContext({ colorScheme, viewport });
        const page = await context.newPage();
        page.setDefaultTimeout(DEADLINE);
        page.on("pageerror", (error) => problems.push(`${error}`));
        page.on("console", (line) => {
          const icon = line.location().url.endsWith("/favicon.ico");
          if (line.type() === "error" && !icon) problems.push(`${page.url()} ${line.text()}`);
        });
        await page.route("**/admin/**", async (route) => {
          const response = await route.fetch({ maxRedirects: 0 });
          const headers = { ...response.headers(), "content-security-policy": "default-src 'self'" };
          await route.fulfill({ response, headers });
        });
        await page.goto(t.url);
        await page.getByRole("button", { name: "admin / demo" }).click();
        await page.locator('#transport[data-state="websocket"]').waitFor();
        for (const name of PAGES) {
          await page.goto(`${t.url}/admin/django_socketio/${name}/`);
          await page.locator('.socketio-tabs [aria-current="page"]').waitFor();
          const over = await page.evaluate(
            () => document.documentElement.scrollWidth - window.innerWidth,
          );
          if (over > 0) wider.push(`${name} ${size}: ${over}`);
        }
        await page.goto(`${t.url}/admin/django_socketio/serverprocess/`);
        await page.getByText("Live", { exact: true }).locator("visible=true").last().waitFor();
        await page.locator("#socketio-state", { hasText: /^Live$/ }).waitFor();
        const asOf = page.locator("#socketio-live > .help").last();
        const before = await asOf.textContent();
        await page.waitForFunction(
          (text) => document.querySelector("#socketio-live > .help").textContent !== text,
          before,
        );
        moved += 1;
        await page.locator("#socketio-pause").focus();
        await page.keyboard.press("Enter");
        await page.locator("#socketio-state", { hasText: /^Paused$/ }).waitFor();
        await context.close();
        t.step(`${colorScheme} ${size}`);
      }
    }
    return { problems, wider, moved };
  });
}

const TYPES = { ".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml" };

// The page of @socket.io/admin-ui, from an origin of its own, watches and commands a socket.
export async function official_admin_ui(t) {
  const root = join(dirname(t.require.resolve("@socket.io/admin-ui/package.json")), "ui", "dist");
  const server = createServer(async (request, response) => {
    const path = normalize(new URL(request.url, "http://x").pathname);
    const file = join(root, path === "/" ? "index.html" : path);
    const content = await readFile(file).catch(() => null);
    response.writeHead(content ? 200 : 404, { "Content-Type": TYPES[extname(file)] ?? "image/png" });
    response.end(content);
  });
  await new Promise((resolve) => server.listen(t.params.port, "127.0.0.1", resolve));
  try {
    return await withBrowser(t, async (browser) => {
      const origin = `http://127.0.0.1:${t.params.port}`;
      const target = await t.connect("/lab");
      const page = await browser.newPage({ viewport: { width: 1400, height: 1000 } });
      page.setDefaultTimeout(DEADLINE);
      // Its fonts and icons come from another host.
      await page.route(/^https:/, (route) => route.abort());
      await page.goto(origin);
      await page.getByLabel("Server URL").fill(t.url);
      await page.getByLabel("Username").fill("root");
      await page.getByLabel("Password").fill("wrong");
      const connect = page.getByRole("button", { name: /^\s*connect\s*$/i });
      await connect.click();
      await page.getByText("invalid credentials").first().waitFor();
      await page.getByLabel("Password").fill("right");
      await connect.click();
      await page.getByText("connected", { exact: true }).first().waitFor();
      await page.locator("code", { hasText: /^\/lab$/ }).first().waitFor();
      await page.goto(`${origin}/#/n/%2Flab/sockets/${target.id}`);
      await page.getByText(target.id).first().waitFor();
      // Join and leave a room.
      const field = page.getByLabel("Join a room");
      await field.fill("from the page");
      const form = page.locator("form", { has: field });
      await form.getByRole("button").click();
      const row = page.locator("tr", { hasText: "from the page" });
      await row.waitFor();
      const joined = await t.ask(target, "me");
      await row.getByRole("button").first().click();
      // The click also opens the room's own page.
      let afterwards = joined;
      while (afterwards[0].rooms.length > 1) afterwards = await t.ask(target, "me");
      await page.goto(`${origin}/#/n/%2Flab/sockets/${target.id}`);
      await page.getByLabel("Join a room").waitFor();
      const left = t.once(target, "disconnect");
      await page.locator("tr", { hasText: "Status" }).first().getByRole("button").click();
      const [reason] = await left;
      return { joined: joined[0].rooms.length, afterwards: afterwards[0].rooms.length, reason };
    });
  } finally {
    server.close();
  }
}
