// The approval page in a real Chromium. Run by tests/tests/page; the ids are those of the catalogue of negative tests.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import * as house from "./house.mjs";
import { acts, desk, enrolled, heading, mint, origin, state, tab, visit } from "./house.mjs";
import { takePictures } from "./pictures.mjs";

before(house.open, { timeout: 60_000 });
after(house.close);

/** For one test, on a busy machine. */
const LIMIT = { timeout: 40_000 };

const REFUSE = `{ method: "POST", mode: "no-cors", headers: { "content-type": "text/plain" }, body: "{}" }`;

test("a passkey is made on the page and approves the next request", LIMIT, async () => {
  const page = await enrolled();
  assert.equal(await heading(page), "Passkey created");
  const request = await mint({ reason: "INC-42" });
  await visit(page, request);
  await page.click("#approve");
  await state(page, "approved");
  assert.deepEqual(await acts(request), ["open", "begin", "finish"]);
  await page.close();
});

test("a second passkey: the page asks for the first one's gesture, then for the new one", LIMIT, async () => {
  const page = await tab();
  const request = await mint({ purpose: "add_passkey", profile: "", person: "Ben", changes: ["yubikey"] });
  await visit(page, request);
  await page.locator("#lead", { hasText: "already enrolled says yes first" }).waitFor();
  assert.equal(await page.locator("#approve").textContent(), "Approve with passkey");
  assert.match(await page.locator("#facts").innerText(), /Passkey\s+yubikey\s+Person\s+Ben/);
  assert.equal(await page.locator("#changes-box").isVisible(), false);
  await desk({ id: request.id, change: { state: "awaits_enrolment" } });
  await page.locator("#approve[aria-disabled=false]", { hasText: "Create passkey" }).waitFor();
  await page.close();
});

test("a request is refused on the page, by keyboard alone", LIMIT, async () => {
  const page = await tab();
  const request = await mint();
  await visit(page, request);
  assert.equal(await page.evaluate(() => document.activeElement.id), "title");
  await page.keyboard.press("Tab");
  assert.equal(await page.evaluate(() => document.activeElement.id), "approve");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await state(page, "refused");
  assert.deepEqual(await acts(request), ["open", "refuse"]);
  assert.equal(await page.evaluate(() => document.activeElement.id), "title");
  await page.close();
});

test("the secret leaves the address bar and is in no address that is sent", LIMIT, async () => {
  const page = await tab();
  const sent = [];
  page.on("request", (request) => sent.push(request.url(), request.headers().referer ?? ""));
  const request = await mint();
  const secret = new URL(request.url).hash.slice(1);
  await visit(page, request);
  assert.equal(page.url(), `${origin(request)}/`);
  assert.ok(sent.length >= 4 && !sent.join().replace(request.url, "").includes(secret), sent.join());
  await page.close();
});

test("a next link in the same tab opens the next request", LIMIT, async () => {
  const page = await tab();
  await visit(page, await mint({ profile: "first" }));
  await page.goto((await mint({ profile: "second" })).url);
  await page.locator("#title", { hasText: "Approve second?" }).waitFor();
  await page.close();
});

test("two people approve: the first waits for the second, and sees it", LIMIT, async () => {
  const page = await enrolled();
  const request = await mint({ approvals_needed: 2 });
  await visit(page, request);
  await page.click("#approve");
  await page.locator("#approvals", { hasText: "1 of 2 approvals: alice." }).waitFor();
  await desk({ id: request.id, change: { state: "approved" } });
  await state(page, "approved");
  await page.close();
});

test("the page notices that nobody waits any more", LIMIT, async () => {
  const page = await tab();
  const request = await mint();
  await visit(page, request);
  await desk({ id: request.id, change: { state: "expired" } });
  await state(page, "expired");
  assert.equal(await page.locator("#actions").isVisible(), false);
  await page.close();
});

test("what an authenticator or the desk cannot do is said, and tried again", LIMIT, async () => {
  const page = await tab({ authenticator: true });
  const request = await mint({ purpose: "add_passkey", state: "awaits_enrolment" });
  await visit(page, request);
  await desk({ id: request.id, fail: "the keyring is locked" });
  await page.click("#approve");
  await page.locator("#trouble", { hasText: "The keyring is locked." }).waitFor();
  await page.locator("#approve[aria-disabled=false]").click();
  await state(page, "approved");

  const stranger = await tab({ authenticator: true });
  await visit(stranger, await mint());
  await stranger.click("#approve");
  await stranger.locator("#trouble", { hasText: "The passkey was not used" }).waitFor();
  await stranger.locator("#approve[aria-disabled=false]").waitFor();
  await Promise.all([page.close(), stranger.close()]);
});

test("a refusal ends a ceremony that waits for a touch", LIMIT, async () => {
  const page = await enrolled();
  await page.passkeys.touch(false);
  const request = await mint();
  await visit(page, request);
  await page.click("#approve");
  await page.locator("#approve", { hasText: "Waiting for your passkey" }).waitFor();
  await page.click("#refuse");
  await state(page, "refused");
  assert.deepEqual(await acts(request), ["open", "begin", "refuse"]);
  await page.close();
});

test("a browser without passkeys is told so, and the link still works", LIMIT, async () => {
  const page = await tab();
  await page.addInitScript(() => { delete window.PublicKeyCredential; });
  const request = await mint();
  await page.goto(request.url);
  await state(page, "stopped");
  assert.equal(await heading(page), "This browser has no passkeys");
  assert.deepEqual(await acts(request), []);
  const other = await tab();
  await visit(other, request);
  await Promise.all([page.close(), other.close()]);
});

test("E11 names and reasons are text, whatever they contain", LIMIT, async () => {
  const page = await tab();
  const hostile = `<img src=x onerror="document.title='owned'">&amp;"'<script>1</script>`;
  await visit(page, await mint({ profile: hostile, role: hostile, reason: hostile, requester: [hostile], changes: [hostile], code: hostile }));
  assert.equal(await heading(page), `Approve ${hostile}?`);
  assert.equal(await page.locator("#code").textContent(), hostile);
  assert.equal(await page.locator("img, #card script").count(), 0);
  assert.equal(await page.title(), "Approval · Tegata");
  await page.close();
});

test("E11 twin names in any script are shown as they are", LIMIT, async () => {
  const page = await tab();
  await visit(page, await mint({ profile: "本番-管理者", reason: "障害対応 INC-42" }));
  assert.equal(await heading(page), "Approve 本番-管理者?");
  await page.close();
});

test("B27 the page without its secret, or with a used one, is over and begins nothing", LIMIT, async () => {
  const page = await tab({ authenticator: true });
  const request = await mint({ purpose: "add_passkey", state: "awaits_enrolment" });
  await page.goto(origin(request));
  await state(page, "stopped");
  assert.equal(await heading(page), "This page is over");
  await visit(page, request);
  await page.goto("about:blank");
  await page.goto(request.url);
  await state(page, "stopped");
  assert.deepEqual(await acts(request), ["open"]);
  assert.equal((await page.passkeys.all()).length, 0);
  await page.close();
});

test("B27 twin with its secret a passkey is made", LIMIT, async () => {
  const page = await enrolled();
  assert.equal((await page.passkeys.all()).length, 1);
  await page.close();
});

const noteCeremonies = () => {
  window.ceremonies = [];
  for (const name of ["get", "create"]) {
    const own = navigator.credentials[name].bind(navigator.credentials);
    navigator.credentials[name] = (options) => { window.ceremonies.push([name, options.mediation ?? "usual"]); return own(options); };
  }
};

test("B30 no passkey is offered before somebody asks for it", LIMIT, async () => {
  const page = await tab({ authenticator: true });
  await page.addInitScript(noteCeremonies);
  await visit(page, await mint());
  assert.deepEqual(await page.evaluate(() => window.ceremonies), []);
  assert.equal(await page.locator("input, [autocomplete]").count(), 0);
  await page.close();
});

test("B30 twin a click asks for it, with the browser's own question", LIMIT, async () => {
  const page = await enrolled();
  await page.addInitScript(noteCeremonies);
  await visit(page, await mint());
  await page.click("#approve");
  await state(page, "approved");
  assert.deepEqual(await page.evaluate(() => window.ceremonies), [["get", "required"]]);
  await page.close();
});

/** Calls `/api/refuse` with a good page token from wherever the tab is. */
const refuseFromHere = (token) =>
  fetch("/api/refuse", { method: "POST", headers: { "content-type": "application/json", "tegata-page": token }, body: "{}" })
    .then((answer) => answer.status);

/** Opens a request as its page does and returns the token, which the page itself would never tell. */
async function stolenToken(page, request) {
  await page.goto(origin(request));
  return page.evaluate((secret) =>
    fetch("/api/open", { method: "POST", headers: { "content-type": "application/json", "tegata-page": secret }, body: "{}" })
      .then((answer) => answer.json()).then((opened) => opened.token), new URL(request.url).hash.slice(1));
}

test("C12 a rebound name reaches the port and gets nothing, even with a token", LIMIT, async () => {
  const page = await tab();
  const request = await mint();
  const token = await stolenToken(page, request);
  const answer = await page.goto(`http://evil.test:${new URL(request.url).port}/`);
  assert.equal(answer.status(), 403);
  assert.equal(await page.evaluate(refuseFromHere, token), 403);
  assert.deepEqual(await acts(request), ["open"]);
  await page.close();
});

test("C12 twin the same call from the page's own name is answered", LIMIT, async () => {
  const page = await tab();
  const request = await mint();
  const token = await stolenToken(page, request);
  assert.equal(await page.evaluate(refuseFromHere, token), 200);
  assert.deepEqual(await acts(request), ["open", "refuse"]);
  await page.close();
});

test("C13 pages on sibling ports and names cannot call", LIMIT, async () => {
  const page = await tab();
  const request = await mint();
  const token = await stolenToken(page, request);
  const server = await house.elsewhere("");
  const seen = await house.statuses(page, origin(request));
  for (const host of ["tegata.localhost", "a.tegata.localhost", "localhost", "127.0.0.1"]) {
    await page.goto(`http://${host}:${server.port}/`);
    await page.evaluate(`fetch("${origin(request)}/api/refuse", ${REFUSE}).catch(() => {})`);
    const read = await page.evaluate(`fetch("${origin(request)}/api/view", { method: "POST", headers: { "content-type": "application/json",
      "tegata-page": "${token}" }, body: "{}" }).then((answer) => answer.text(), () => "blocked")`);
    assert.equal(read, "blocked", host);
  }
  assert.ok(seen.length >= 4 && seen.every((status) => status === 403 || status === 405), seen.join());
  assert.deepEqual(await acts(request), ["open"]);
  server.close();
  await page.close();
});

test("C13 twin the page itself calls", LIMIT, async () => {
  const page = await tab();
  const request = await mint();
  await visit(page, request);
  await page.click("#refuse");
  await state(page, "refused");
  assert.deepEqual(await acts(request), ["open", "refuse"]);
  await page.close();
});

test("C14 forms, images, scripts, styles, streams, sockets and links change and learn nothing", LIMIT, async () => {
  const page = await tab();
  const request = await mint();
  const token = await stolenToken(page, request);
  const to = origin(request);
  const server = await house.elsewhere(`
    <img src="${to}/api/refuse"><script src="${to}/"></script><link rel="stylesheet" href="${to}/">
    <a href="${to}/">go</a>
    <form method="post" enctype="text/plain" action="${to}/api/refuse"><input name="${token}" value="x"></form>
    <script>
      new EventSource("${to}/api/view");
      window.socket = new Promise((done) => { const s = new WebSocket("${to.replace("http", "ws")}/"); s.onopen = () => done("open"); s.onerror = () => done("closed"); });
    </script>`);
  const seen = await house.statuses(page, to);
  for (const host of ["tegata.localhost", "localhost"]) {
    const there = `http://${host}:${server.port}/`;
    await page.goto(there);
    assert.equal(await page.evaluate("window.socket"), "closed");
    await Promise.all([page.waitForURL(`${to}/`), page.click("a")]);
    assert.equal(await page.locator("#card").count(), 0);
    await page.goto(there);
    await Promise.all([page.waitForURL(`${to}/api/refuse`), page.evaluate(() => document.forms[0].submit())]);
    assert.ok(seen.length >= 6 && seen.every((status) => status >= 400), seen.join());
  }
  assert.deepEqual(await acts(request), ["open"]);
  server.close();
  await page.close();
});

test("C14 twin going to the address oneself shows the page and changes nothing yet", LIMIT, async () => {
  const page = await tab();
  const request = await mint();
  await page.goto(origin(request));
  assert.equal(await page.locator("#card").count(), 1);
  assert.deepEqual(await acts(request), []);
  await page.close();
});

test("C18 the page is not shown inside another page", LIMIT, async () => {
  const page = await tab();
  const request = await mint();
  const server = await house.elsewhere(`<iframe src="${request.url}"></iframe>`);
  for (const host of ["tegata.localhost", "localhost", "evil.test"]) {
    await page.goto(`http://${host}:${server.port}/`);
    const frames = page.frames().filter((frame) => frame !== page.mainFrame());
    assert.equal(frames.length, 1);
    assert.equal(await frames[0].locator("#card").count(), 0, host);
  }
  assert.deepEqual(await acts(request), []);
  server.close();
  await page.close();
});

test("C18 twin it is shown as a page of its own", LIMIT, async () => {
  const page = await tab();
  const request = await mint();
  await visit(page, request);
  assert.equal(await page.locator("#card").isVisible(), true);
  assert.deepEqual(await acts(request), ["open"]);
  await page.close();
});

test("C19 a click within half a second, and one that a script made up, do nothing", LIMIT, async () => {
  const page = await enrolled();
  await page.addInitScript(() => { window.now = 0; performance.now = () => window.now; });
  const request = await mint();
  await page.goto("about:blank");
  await page.goto(request.url);
  await state(page, "waits");
  await page.evaluate(() => { window.now = 499; });
  await page.locator("#approve").click({ force: true });
  await page.locator("#refuse").click({ force: true });
  await page.evaluate(() => {
    window.now = 501;
    document.getElementById("approve").click();
    document.getElementById("refuse").click();
  });
  assert.deepEqual(await acts(request), ["open"]);
  await page.locator("#approve").click({ force: true });
  await state(page, "approved");
  await page.close();
});

test("C19 twin a person's click after it asks for the passkey, and only the passkey approves", LIMIT, async () => {
  const page = await enrolled();
  await page.passkeys.touch(false);
  const request = await mint();
  await visit(page, request);
  await page.click("#approve");
  await page.locator("#approve", { hasText: "Waiting for your passkey" }).waitFor();
  assert.deepEqual(await acts(request), ["open", "begin"]);
  await page.passkeys.touch(true);
  const next = await mint();
  await visit(page, next);
  await page.click("#approve");
  await state(page, "approved");
  assert.deepEqual(await acts(next), ["open", "begin", "finish"]);
  await page.close();
});

/** WCAG 2.2, 1.4.3. */
function contrast(one, other) {
  const luminance = (hex) => {
    const [r, g, b] = hex.match(/[0-9a-f]{2}/gi).map((part) => parseInt(part, 16) / 255)
      .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const [light, dark] = [luminance(one), luminance(other)].sort((a, b) => b - a);
  return (light + 0.05) / (dark + 0.05);
}

test("text can be read in light and in dark, and nothing on the page needs sideways scrolling", LIMIT, async () => {
  const page = await tab();
  const long = "arn:aws:iam::123456789012:role/" + "a".repeat(120);
  for (const colorScheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme });
    await page.setViewportSize({ width: 320, height: 640 });
    await visit(page, await mint({ profile: "p".repeat(100), role: long, requester: [long], changes: [long], code: "extraordinary hippopotamus" }));
    const colour = await page.evaluate(() => {
      const style = getComputedStyle(document.documentElement);
      return Object.fromEntries(["paper", "card", "ink", "soft", "seal", "seal-wash", "act", "act-ink"].map((name) => [name, style.getPropertyValue(`--${name}`).trim()]));
    });
    for (const [text, ground] of [["ink", "card"], ["soft", "card"], ["soft", "paper"], ["soft", "seal-wash"], ["ink", "seal-wash"], ["seal", "seal-wash"], ["act-ink", "act"]]) {
      assert.ok(contrast(colour[text], colour[ground]) >= 4.5, `${text} on ${ground} in ${colorScheme}`);
    }
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), colorScheme);
  }
  await page.close();
});

test("every state can be pictured", { skip: !house.given.pictures }, () => takePictures(house.given.pictures));
