// Pictures of every state of the page, for docs/pictures: `make pictures`.

import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { desk, mint, state, tab, visit } from "./house.mjs";

const SIZES = { phone: { width: 390, height: 844 }, desktop: { width: 1100, height: 900 } };

const ENROL = {
  purpose: "add_passkey",
  state: "awaits_enrolment",
  profile: "",
  person: "Aiko",
  requester: ["zsh (pid 47002)", "tmux (pid 1881)"],
  changes: ["laptop"],
};

/** Behind an enrolled passkey, which says yes on the same page first. */
const ANOTHER = { ...ENROL, state: "awaits_gesture", person: "Ben", changes: ["yubikey"] };

const ELEVATE = {
  profile: "prod-admin",
  account: "123456789012",
  role: "arn:aws:iam::123456789012:role/AdministratorAccess",
  tier: "prompt",
  reason: "INC-4211 restore the orders table",
  window_seconds: 900,
  requester: ["terraform (pid 48213)", "zsh (pid 47002)", "tmux (pid 1881)"],
};

/** Name of the picture, the request, the sizes and colours it is worth, and what to do first. */
const PICTURES = [
  ["elevate", ELEVATE, ["phone light", "phone dark", "desktop light", "desktop dark"]],
  ["two-people", { ...ELEVATE, approvals_needed: 2 }, ["phone dark"]],
  ["second-person", { ...ELEVATE, approvals_needed: 2, approvals_given: ["Aiko"] }, ["desktop light", "phone light"]],
  ["enrol", ENROL, ["phone light", "desktop dark"]],
  ["gesture-first", ANOTHER, ["phone light"]],
  ["enrol-after-gesture", ANOTHER, ["phone light"], gestureOf],
  ["remove", { ...ENROL, purpose: "remove_passkey", state: "awaits_gesture" }, ["phone dark"]],
  ["unlock", { purpose: "unlock", profile: "", requester: ENROL.requester }, ["phone light"]],
  ["passkey-asked", ENROL, ["phone dark"], ask],
  ["trouble", ELEVATE, ["phone light"], fail],
  ["settings", { purpose: "accept_policy", profile: "", requester: ["zsh (pid 47002)", "tmux (pid 1881)"],
    changes: ["rule payments: window 15 minutes becomes 1 hour", "rule prod: a reason is not asked for any more"] }, ["desktop light"]],
  ["approved", { state: "approved" }, ["phone light", "desktop dark"]],
  ["refused", { state: "refused" }, ["phone light"]],
  ["expired", { state: "expired" }, ["phone dark"]],
  ["over", null, ["phone light"]],
];

export async function takePictures(directory) {
  mkdirSync(directory, { recursive: true });
  for (const [name, view, wanted, first] of PICTURES) {
    for (const look of wanted) {
      const [size, colorScheme] = look.split(" ");
      const page = await tab({ authenticator: true });
      await page.setViewportSize(SIZES[size]);
      await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
      const request = await show(page, view);
      await first?.(page, request);
      await page.screenshot({ path: join(directory, `page-${name}-${size}-${colorScheme}.png`), fullPage: true });
      await page.close();
    }
  }
}

async function show(page, view) {
  const request = await mint(view ?? {});
  if (view && !["approved", "refused", "expired"].includes(view.state)) {
    await visit(page, request);
  } else {
    await page.goto(view ? request.url : new URL(request.url).origin);
    await state(page, view ? view.state : "stopped");
  }
  return request;
}

async function ask(page) {
  await page.passkeys.touch(false);
  await page.click("#approve");
  await page.locator("#approve", { hasText: "Waiting" }).waitFor();
}

/** As the page is drawn once the first passkey has said yes. */
async function gestureOf(page, request) {
  await desk({ id: request.id, change: { state: "awaits_enrolment" } });
  await page.locator("#approve[aria-disabled=false]", { hasText: "Create passkey" }).waitFor();
}

async function fail(page) {
  await page.click("#approve");
  await page.locator("#trouble", { hasText: "." }).waitFor();
  await page.locator("#approve[aria-disabled=false]").waitFor();
}
