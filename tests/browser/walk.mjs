// A Chromium that does what its caller says: one order a line on stdin, one answer a line on stdout, both JSON.
// Every tab has a name of the caller's choice and a virtual authenticator of its own; tests/src/chromium.rs gives the orders.

import { rmSync } from "node:fs";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { launch, virtualAuthenticator } from "./chromium.mjs";

const { values: given } = parseArgs({
  options: {
    modules: { type: "string" },
    scratch: { type: "string" },
    executable: { type: "string" },
    headed: { type: "boolean" },
  },
});
const browser = await launch(given);
const tabs = new Map();

async function tab(name) {
  if (!tabs.has(name)) {
    const page = await browser.newPage();
    page.keys = [await virtualAuthenticator(page)];
    tabs.set(name, page);
  }
  return tabs.get(name);
}

/** What can be ordered; each returns what the caller is answered. */
const orders = {
  /** Opens an address. The blank page between makes a fresh document of an address that differs behind `#` only. */
  async open(page, { url }) {
    await page.bringToFront();
    await page.goto("about:blank");
    await page.goto(url);
  },
  async click(page, { selector }) {
    await page.locator(selector).click();
  },
  /** Waits until something is there and contains a text; returns all of its text. */
  async wait(page, { selector, text }) {
    const found = page.locator(selector, text && { hasText: text });
    await found.waitFor();
    return found.innerText();
  },
  /** Adds one more authenticator; returns its number. */
  async key(page, { transport }) {
    return page.keys.push(await virtualAuthenticator(page, transport)) - 1;
  },
  /** Takes an authenticator with what is on it from this tab to another. */
  async carry(page, { key, to }) {
    const [other, [carried]] = [await tab(to), page.keys.splice(key, 1)];
    for (const credential of await carried.all()) await other.keys[0].put(credential);
    await carried.remove();
  },
  async touch(page, { key, enabled }) {
    await page.keys[key].touch(enabled);
  },
  /** Returns how many passkeys each authenticator of the tab holds. */
  passkeys: (page) => Promise.all(page.keys.map(async (key) => (await key.all()).length)),
  address: (page) => page.url(),
  /** Runs a script in the page and returns what it came to. */
  run: (page, { script }) => page.evaluate(script),
};

for await (const line of createInterface({ input: process.stdin })) {
  const order = JSON.parse(line);
  let answer;
  try {
    answer = { done: (await orders[order.do](await tab(order.tab), order)) ?? null };
  } catch (error) {
    answer = { failed: String(error) };
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
await browser.close();
rmSync(given.scratch, { recursive: true, force: true });
