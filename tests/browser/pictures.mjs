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
  requester: ["tegata 5120", "zsh 47002"],
  changes: ["a passkey named “laptop” is added"],
};

const ELEVATE = {
  profile: "prod-admin",
  account: "123456789012 (payments-prod)",
  role: "arn:aws:iam::123456789012:role/AdministratorAccess",
  tier: "prompt",
  reason: "INC-4211 restore the orders table",
  window_seconds: 900,
  requester: ["terraform 48213", "zsh 47002", "tmux 1881"],
};

/** Name of the picture, the request, the sizes and colours it is worth, and what to do first. */
const PICTURES = [
  ["elevate", ELEVATE, ["phone light", "phone dark", "desktop light", "desktop dark"]],
  ["second-person", { ...ELEVATE, approvals_needed: 2, approvals_given: ["Aiko"], tier: "sealed" }, ["desktop light"]],
  ["enrol", ENROL, ["phone light", "desktop dark"]],
  ["passkey-asked", ENROL, ["phone dark"], ask],
  ["trouble", ELEVATE, ["phone light"], fail],
  ["settings", { purpose: "accept_policy", profile: "", requester: ["tegata 5120", "zsh 47002"],
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
      await show(page, view);
      await first?.(page);
      await page.screenshot({ path: join(directory, `page-${name}-${size}-${colorScheme}.png`), fullPage: true });
      await page.close();
    }
  }
}

async function show(page, view) {
  const request = await mint(view ?? {});
  if (view && !["approved", "refused", "expired"].includes(view.state)) return visit(page, request);
  await page.goto(view ? request.url : new URL(request.url).origin);
  await state(page, view ? view.state : "stopped");
}

async function ask(page) {
  await page.passkeys.touch(false);
  await page.click("#approve");
  await page.locator("#approve", { hasText: "Waiting" }).waitFor();
}

async function fail(page) {
  await page.click("#approve");
  await page.locator("#trouble", { hasText: "." }).waitFor();
  await page.locator("#approve[aria-disabled=false]").waitFor();
}
