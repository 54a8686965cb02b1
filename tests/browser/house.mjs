// What the browser tests share: one Chromium, the desk behind the page, and pages of other people.

import { createServer } from "node:http";
import { connect } from "node:net";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { launch, virtualAuthenticator } from "./chromium.mjs";

const names = ["control", "modules", "scratch", "pictures"];
export const { values: given } = parseArgs({ options: Object.fromEntries(names.map((name) => [name, { type: "string" }])) });

let browser;
let control;
const answers = [];

/** Starts the one Chromium of the whole run. */
export async function open() {
  control = connect(Number(given.control), "127.0.0.1");
  createInterface({ input: control }).on("line", (line) => answers.shift()(JSON.parse(line)));
  browser = await launch(given);
}

export async function close() {
  await browser?.close();
  control?.destroy();
}

/** Gives the desk an order and returns its answer. */
export function desk(order) {
  return new Promise((resolve) => {
    answers.push(resolve);
    control.write(`${JSON.stringify(order)}\n`);
  });
}

/** Makes a request: its id and the URL of its page. */
export const mint = (view = {}) => desk({ mint: { profile: "prod-admin", ...view } });

/** What was done with a request. */
export const acts = async ({ id }) => (await desk({ id })).acts;

/** A tab; with a key, its own virtual authenticator. */
export async function tab({ authenticator = false } = {}) {
  const page = await browser.newPage();
  if (authenticator) page.passkeys = await virtualAuthenticator(page);
  return page;
}

/** Goes to a request's page and waits until its buttons work. */
export async function visit(page, request) {
  await page.goto("about:blank");
  await page.goto(request.url);
  await page.locator("#approve[aria-disabled=false]").waitFor();
}

/** A tab whose authenticator has an enrolled passkey. */
export async function enrolled() {
  const page = await tab({ authenticator: true });
  await visit(page, await mint({ purpose: "add_passkey", state: "awaits_enrolment" }));
  await page.click("#approve");
  await state(page, "approved");
  return page;
}

/** Waits until the page shows this state. */
export const state = (page, name) => page.locator(`#card[data-state=${name}]`).waitFor();

export const heading = (page) => page.locator("#title").textContent();

/** The page as in a request of the page itself, whatever the browser is at. */
export const origin = (request) => new URL(request.url).origin;

/** Somebody else's server: answers every path with this document. */
export async function elsewhere(document) {
  const server = createServer((_, response) => {
    response.setHeader("content-type", "text/html");
    response.end(`<!doctype html><title>elsewhere</title>${document}`);
  });
  // A test that fails before it closes this must not keep the others waiting.
  server.unref();
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
  return { port: server.address().port, close: () => server.close() };
}

/** Notes every answer that a tab gets from the page's origin, those that the browser keeps from the tab as well. */
export async function statuses(page, from) {
  const cdp = await page.context().newCDPSession(page);
  const asked = new Map();
  const seen = [];
  cdp.on("Network.requestWillBeSent", ({ requestId, request }) => asked.set(requestId, request.url));
  cdp.on("Network.webSocketCreated", ({ requestId, url }) => asked.set(requestId, url.replace("ws", "http")));
  cdp.on("Network.webSocketHandshakeResponseReceived", ({ requestId, response }) => note(requestId, response.status));
  cdp.on("Network.responseReceivedExtraInfo", ({ requestId, statusCode }) => note(requestId, statusCode));
  const note = (requestId, status) => { if (asked.get(requestId)?.startsWith(from)) seen.push(status); };
  await cdp.send("Network.enable");
  return seen;
}
