// The pages of the tutorial in Chromium, as its reader uses them.
import { FLAGS } from "./browser.mjs";

// Two windows: who votes in one sees it in the other. Returns what the buttons say.
export async function vote_in_two_windows(t) {
  return in_chromium(t, async (browser) => {
    const [one, two] = [await browser.newPage(), await browser.newPage()];
    for (const page of [one, two]) {
      await page.goto(t.url);
      await page.getByRole("button", { name: "Tea: 0" }).waitFor();
    }
    await one.getByRole("button", { name: "Tea: 0" }).click();
    await two.getByRole("button", { name: "Tea: 1" }).click();
    await one.getByRole("button", { name: "Tea: 2" }).waitFor();
    return one.getByRole("button").allTextContents();
  });
}

// A choice that is added in the admin appears in an open window. Returns what the buttons say.
export async function add_a_choice(t) {
  return in_chromium(t, async (browser) => {
    const page = await browser.newPage();
    await page.goto(t.url);
    await page.getByRole("button", { name: "Coffee: 0" }).waitFor();
    const admin = await browser.newPage();
    await admin.goto(`${t.url}/admin/votes/choice/add/`);
    await admin.fill("#id_username", "ada");
    await admin.fill("#id_password", t.params.password);
    await admin.click("[type=submit]");
    await admin.fill("#id_text", "Cocoa");
    await admin.click("[name=_save]");
    await page.getByRole("button", { name: "Cocoa: 0" }).waitFor();
    return page.getByRole("button").allTextContents();
  });
}

async function in_chromium(t, use) {
  const { chromium } = t.require("playwright-core");
  const browser = await chromium.launch({ executablePath: t.params.chromium, args: FLAGS });
  try {
    return await use(browser);
  } finally {
    await browser.close();
  }
}
