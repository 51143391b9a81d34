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
