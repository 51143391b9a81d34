// The demo chat in Chromium, as two people use it.

export const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-dev-shm-usage",
  "--disable-background-networking",
  "--disable-component-update",
];
const DEADLINE = 40_000;

export async function chat(t) {
  const { chromium } = t.require("playwright-core");
  const browser = await chromium.launch({ executablePath: t.params.chromium, args: FLAGS });
  try {
    const problems = [];
    const alice = await enter(browser, t, "alice", problems);
    const bob = await enter(browser, t, "bob", problems);

    await say(alice, "Hello Bob");
    await hears(bob, "Hello Bob");
    await say(bob, "Hello Alice, look");
    await hears(alice, "Hello Alice, look");
    await alice.locator('.mine .state[data-state="delivered"]').first().waitFor();

    const png = Buffer.from(t.params.image, "base64");
    await bob.setInputFiles("#file", { name: "noise.png", mimeType: "image/png", buffer: png });
    await bob.locator("#preview").waitFor({ state: "visible" });
    await bob.click("#send");
    const picture = alice.locator(".message:not(.mine) .picture img").last();
    await picture.waitFor({ state: "visible" });
    await alice.waitForFunction((image) => image.naturalWidth > 0, await picture.elementHandle());
    const size = await picture.evaluate((image) => [image.naturalWidth, image.naturalHeight]);

    // What fails while there is no server is no fault of the page.
    const before = problems.splice(0);
    t.step("chatted");
    for (const page of [alice, bob]) await transport(page, "offline");
    t.step("lost");
    await say(alice, "Written while offline");
    await t.told_to("look");
    for (const page of [alice, bob]) await transport(page, "websocket");
    await hears(bob, "Written while offline");
    await say(bob, "We are back");
    await hears(alice, "We are back");
    const people = await alice.locator("#people-list li").count();
    return { size, problems: before, people };
  } finally {
    await browser.close();
  }
}

// What a page says of its connection, of those who come and go, and of why it was sent away.
export async function farewells(t) {
  const { chromium } = t.require("playwright-core");
  const browser = await chromium.launch({ executablePath: t.params.chromium, args: FLAGS });
  try {
    const problems = [];
    const alice = await enter(browser, t, "alice", problems, { locale: "en-US" });
    const bob = await enter(browser, t, "bob", problems, { hasTouch: true, isMobile: true });
    const admin = await enter(browser, t, "admin", problems);
    const shown = (page, list) => page.locator(`#${list}-list li`).allInnerTexts();
    const waits = (page, list, text) => page.locator(`#${list}-list`, { hasText: text }).waitFor();
    const banner = (text) => alice.locator("#banner-text", { hasText: text }).waitFor();

    await admin.getByRole("link", { name: "Pictures" }).click();
    await transport(admin, "websocket");
    await waits(alice, "elsewhere", "in Pictures");
    const elsewhere = await shown(alice, "elsewhere");

    // One time per group. Bob has a phone: its key says that it sends.
    await say(alice, "One");
    await say(alice, "Two");
    await hears(bob, "Two");
    await bob.locator("#text").focus();
    await bob.keyboard.type("Three");
    await bob.keyboard.press("Shift+Enter");
    await bob.keyboard.type("lines");
    await bob.keyboard.press("Enter");
    await hears(alice, "Three");
    const last = alice.locator(".mine .state[data-state]").last();
    await alice.locator('.mine .state[data-state="delivered"]').last().waitFor();
    const times = alice.locator(".mine .meta time").filter({ visible: true });
    const said = {
      times: (await times.allInnerTexts()).map((text) => /^[1-9]\d?:\d\d\s[AP]M$/u.test(text)),
      ticks: [await last.innerText(), await last.getAttribute("title")],
      lines: await alice.locator(".message:not(.mine) .text").last().innerText(),
    };

    await alice.click("#transport");
    await alice.locator("#process", { hasText: /^\d+$/ }).waitFor();
    await alice.locator("#ping", { hasText: / ms$/ }).waitFor();
    const inspector = {
      transport: await alice.innerText("#transport-name"),
      process: Number(await alice.innerText("#process")),
      reconnections: await alice.innerText("#reconnections"),
    };
    await alice.keyboard.press("Escape");

    // Sent away by an administrator: it says so, covers nothing, and offers to come back.
    await admin.goto(`${t.url}/admin/django_socketio/connection/?namespace=/chat&q=alice`);
    await admin.getByLabel("Select all on this page").check();
    await admin.locator(".socketio-actions").getByRole("button", { name: "Disconnect" }).click();
    // The admin may ask first.
    const gone = banner("administrator");
    await Promise.race([gone, admin.getByRole("button", { name: /^Yes/ }).click().then(() => gone)]);
    const away = await alice.innerText("#banner-text");
    const covered = await alice.evaluate(() => {
      const bottom = document.getElementById("banner").getBoundingClientRect().bottom;
      return document.getElementById("log").getBoundingClientRect().top < bottom;
    });
    await waits(bob, "left", "alice"); // after the grace
    await alice.getByRole("button", { name: "Come back" }).click();
    await transport(alice, "websocket");
    await say(alice, "Here I am again");
    await hears(bob, "Here I am again");

    // Logged out on another page: that, and only that, is what it says.
    const other = await alice.context().newPage();
    await other.goto(t.url);
    await other.getByRole("button", { name: "Log out" }).click();
    await banner("logged out");
    const out = await alice.innerText("#banner-text");
    const before = problems.splice(0);

    // Django's own page for an error has a style inside.
    await other.goto(`${t.url}/nowhere/`);
    const styled = await other.evaluate(() => getComputedStyle(document.body).margin === "0px");
    return { elsewhere, said, inspector, away, covered, out, styled, problems: before };
  } finally {
    await browser.close();
  }
}

async function enter(browser, t, username, problems, options = {}) {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  page.setDefaultTimeout(DEADLINE);
  page.on("pageerror", (error) => problems.push(`${username}: ${error}`));
  page.on("console", (line) => {
    const icon = line.location().url.endsWith("/favicon.ico"); // the admin's pages have none
    if (line.type() === "error" && !icon) problems.push(`${username}: ${line.text()}`);
  });
  await page.goto(t.url);
  await page.getByRole("button", { name: `${username} / demo` }).click();
  await transport(page, "websocket");
  return page;
}

const transport = (page, state) => page.locator(`#transport[data-state="${state}"]`).waitFor();

const hears = (page, text) => page.locator(".message .text", { hasText: text }).last().waitFor();

async function say(page, text) {
  await page.fill("#text", text);
  await page.press("#text", "Enter");
}

// A page with each bundle of the client, under a policy that takes nothing without its nonce.
export async function client_pages(t) {
  const { chromium } = t.require("playwright-core");
  const browser = await chromium.launch({ executablePath: t.params.chromium, args: FLAGS });
  try {
    const seen = {};
    for (const bundle of t.params.bundles) {
      const page = await browser.newPage();
      page.setDefaultTimeout(DEADLINE);
      const problems = [];
      page.on("pageerror", (error) => problems.push(`${error}`));
      page.on("console", (line) => line.type() === "error" && problems.push(line.text()));
      await page.goto(`${t.url}/page/?bundle=${bundle}`);
      await page.locator("body[data-state]").waitFor({ state: "attached" });
      seen[bundle] = [await page.evaluate(() => document.body.dataset.state), problems];
      await page.close();
    }
    return seen;
  } finally {
    await browser.close();
  }
}

// The bundle whose parser is MessagePack: bytes inside of what is said, both ways, and its frames.
export async function msgpack_page(t) {
  const { chromium } = t.require("playwright-core");
  const browser = await chromium.launch({ executablePath: t.params.chromium, args: FLAGS });
  try {
    const page = await browser.newPage();
    page.setDefaultTimeout(DEADLINE);
    const frames = [];
    const note = ({ payload }) => frames.push(typeof payload === "string" ? payload : "binary");
    page.on("websocket", (socket) => socket.on("framesent", note).on("framereceived", note));
    await page.goto(`${t.url}/page/?bundle=msgpack`);
    await page.locator("body[data-state]").waitFor({ state: "attached" });
    const said = await page.evaluate(async (transports) => {
      const socket = window.io("/lab", { transports, forceNew: true });
      const bytes = (buffer) => buffer instanceof ArrayBuffer && [...new Uint8Array(buffer)];
      socket.on("question", ({ deep }, answer) => {
        answer({ was: deep[1], more: Uint8Array.of(9, 8).buffer });
      });
      const ask = (...args) => socket.timeout(20_000).emitWithAck(...args);
      const blob = new Uint8Array(5000).fill(7).buffer;
      const echoed = await ask("echo", { a: [blob, "é", { b: Uint8Array.of(1, 2).buffer }] });
      const [large, text, inner] = echoed.a;
      const same = large.byteLength === 5000 && bytes(large).every((byte) => byte === 7);
      const asked = await ask("ask", { deep: ["x", Uint8Array.of(5, 6).buffer] });
      const { was, more } = Array.isArray(asked) ? asked[0] : asked;
      socket.close();
      return { same, text, inner: bytes(inner.b), was: bytes(was), more: bytes(more) };
    }, t.params.transports);
    return { ...said, frames: [...new Set(frames.map((frame) => frame.replace(/\{.*/, "")))].sort() };
  } finally {
    await browser.close();
  }
}
