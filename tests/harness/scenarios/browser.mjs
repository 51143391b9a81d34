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
    return { size, problems: before, people: await alice.locator("#people-list li").count() };
  } finally {
    await browser.close();
  }
}

async function enter(browser, t, username, problems) {
  const context = await browser.newContext();
  const page = await context.newPage();
  page.setDefaultTimeout(DEADLINE);
  page.on("pageerror", (error) => problems.push(`${username}: ${error}`));
  page.on("console", (line) => line.type() === "error" && problems.push(`${username}: ${line.text()}`));
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
