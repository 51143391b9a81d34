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
const PAGES = [
  "serverprocess/",
  "connection/",
  "connection/?namespace=/chat&q=nobody",
  "connection/?o=-packets",
  "room/",
  "room/?q=nowhere",
  "trafficsample/",
  "trafficsample/?range=day",
  "trafficsample/?range=week",
  "namespace/",
];
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
        const look = async (name) => {
          await page.locator('.socketio-tabs [aria-current="page"]').waitFor();
          const over = await page.evaluate(
            () => document.documentElement.scrollWidth - window.innerWidth,
          );
          if (over > 0) wider.push(`${name} ${size}: ${over}`);
        };
        // The page of the chat above is left: somebody else has to be there to be listed.
        const chat = await context.newPage();
        await chat.goto(t.url);
        await chat.locator('#transport[data-state="websocket"]').waitFor();
        await page.bringToFront(); // a page in the background is slow
        for (const name of PAGES) {
          await page.goto(`${t.url}/admin/django_socketio/${name}`);
          await look(name);
        }
        if ((colorScheme === "light") === (size === "wide")) await act(page, t.url, look);
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

// Every action on the one socket of the chat, and what the page says of it.
async function act(page, url, look) {
  const room = `a room ${"with a long name ".repeat(5)}`.trim();
  const actions = [
    ["Join room", { room }, `Joined room “${room}”`],
    ["Leave room", { room }, `Left room “${room}”`],
    ["Send event", { event: "nothing", args: "[1]" }, "Sent event “nothing”"],
    ["Send event", { event: "nothing", args: "{" }, "The arguments are a JSON list"],
    ["Disconnect", {}, "Disconnected."],
  ];
  for (const [button, fields, answer] of actions) {
    await page.goto(`${url}/admin/django_socketio/connection/?namespace=/chat`);
    await page.getByLabel("Select all on this page").check();
    await page.getByText("With the selected sockets: 1").waitFor();
    const form = page.locator(".socketio-actions");
    for (const [name, value] of Object.entries(fields)) {
      await form.locator(`input[name="${name}"]`).fill(value);
    }
    await form.getByRole("button", { name: button }).click();
    if (button === "Disconnect") {
      await look("Are you sure?");
      await page.getByRole("button", { name: "Yes, disconnect 1 socket" }).click();
    }
    await page.locator(".messagelist", { hasText: answer }).waitFor();
    await look(button);
  }
}

const TYPES = { ".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml" };

// The page of @socket.io/admin-ui, from an origin of its own, watches and commands sockets.
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
      const { namespace, auth } = t.params;
      const options = { auth, extraHeaders: t.params.chat ? await logIn(t, browser) : {} };
      const [target, other] = [await t.connect(namespace, options), await t.connect(namespace, options)];

      const page = await browser.newPage({ viewport: { width: 1400, height: 1000 } });
      page.setDefaultTimeout(DEADLINE);
      // Its fonts and icons come from another host.
      await page.route(/^https:/, (route) => route.abort());
      const goTo = (path) => page.goto(`${origin}/#/${path}`);
      const goToTarget = () => goTo(`n/${encodeURIComponent(namespace)}/sockets/${target.id}`);
      const row = (text) => page.locator(".row-pointer tr", { hasText: text });

      const logInAs = async (password) => {
        await page.getByLabel("Username").fill("root");
        await page.getByLabel("Password").fill(password);
        await page.getByRole("button", { name: /^\s*connect\s*$/i }).click();
      };
      await page.goto(origin);
      await page.getByLabel("Server URL").fill(t.url);
      await logInAs("wrong");
      await page.getByText("invalid credentials").first().waitFor();
      await logInAs("right");
      await page.getByText("connected", { exact: true }).first().waitFor();
      await page.locator("code", { hasText: namespace }).first().waitFor();
      await goTo("sockets/");
      await page.locator(".selector").click();
      await page.getByRole("option", { name: namespace, exact: true }).click();
      await row(other.id).waitFor();

      // One socket joins a room, gets an event there, and leaves it.
      await goToTarget();
      const field = page.getByLabel("Join a room");
      await field.fill("from the page");
      await page.locator("form", { has: field }).getByRole("button").click();
      await row("from the page").waitFor();
      const admin = await t.connect("/admin", { auth: { username: "root", password: "right" } });
      const heard = t.collect(other, "hello");
      const received = t.once(target, "hello");
      admin.emit("emit", namespace, "from the page", "hello", { from: "the page" });
      const [event] = await received;
      await row("from the page").getByRole("button").first().click();
      // The click also opens the room's own page.
      await t.until(() => page.url().includes("/rooms/"), "the page of the room");
      await goToTarget();
      await field.waitFor();
      await row("from the page").waitFor({ state: "detached" });

      // The room's own page empties it, the page of all rooms disconnects who is in one.
      const rooms = [target, other].map((socket) => [socket.id, "both"]);
      for (const [id, room] of rooms) admin.emit("join", namespace, room, id);
      await goTo("rooms/");
      await row("both").locator("td", { hasText: /^\s*2\s*$/ }).waitFor();
      await row("both").getByRole("button").first().click();
      await row("both").waitFor({ state: "detached" });

      await goToTarget();
      const left = t.once(target, "disconnect");
      await page.locator("tr", { hasText: "Status" }).nth(1).getByRole("button").click();
      const [reason] = await left;

      admin.emit("join", namespace, "last", other.id);
      await goTo("rooms/");
      const ended = t.once(other, "disconnect");
      await row("last").getByRole("button").last().click();
      await ended;

      // Guessing comes to an end, and the page says why.
      await page.goto("about:blank");
      await page.goto(origin);
      await page.evaluate(() => window.localStorage.clear());
      await page.reload();
      await page.getByLabel("Server URL").fill(t.url);
      const refused = page.getByText("too many wrong passwords").first();
      for (let n = 0; n < 20 && !(await refused.isVisible()); n++) {
        await logInAs(`wrong ${n}`);
        await refused.waitFor({ timeout: 500 }).catch(() => {});
      }
      await refused.waitFor();
      return { event, heard, reason };
    });
  } finally {
    server.close();
  }
}

// The headers of somebody who is logged in to the demo chat, whose page stays open.
async function logIn(t, browser) {
  const context = await browser.newContext();
  const page = await context.newPage();
  page.setDefaultTimeout(DEADLINE);
  await page.goto(t.url);
  await page.getByRole("button", { name: "admin / demo" }).click();
  await page.locator('#transport[data-state="websocket"]').waitFor();
  const cookies = await context.cookies();
  return { Cookie: cookies.map(({ name, value }) => `${name}=${value}`).join("; ") };
}

// Whether the live page's namespace lets somebody in; either way the connection goes on for others.
export async function enter_feed(t) {
  const { namespace, cookie } = t.params;
  const socket = t.open(namespace, { extraHeaders: cookie ? { Cookie: cookie } : {} });
  const got = t.collect(socket, "live");
  const entered = t.once(socket, "connect").then(() => "entered");
  const refused = t.once(socket, "connect_error").then(([error]) => `${error}`);
  const answer = await Promise.race([entered, refused]);
  if (answer === "entered") await t.until(() => got.length, "the part of the page that moves");
  const other = await t.connected(t.keep(socket.io.socket("/lab")));
  const [sum] = await t.ask(other, "add", 1, 2);
  return { answer, connected: socket.connected, told: got.length > 0, sum };
}
