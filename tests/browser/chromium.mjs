// A Chromium of one's own, and virtual authenticators in it.

import { createRequire } from "node:module";
import { join } from "node:path";

/** Starts a Chromium whose profile lies in `scratch`, in which evil.test is this machine. */
export async function launch({ modules, scratch, executable = "/usr/bin/chromium", headed = false }) {
  const { chromium } = createRequire(join(modules, "x.js"))("playwright-core");
  const browser = await chromium.launchPersistentContext(join(scratch, "chromium"), {
    executablePath: executable,
    headless: !headed,
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
      "--disable-component-update", "--disable-sync", "--no-proxy-server", "--host-resolver-rules=MAP evil.test 127.0.0.1"],
  });
  browser.setDefaultTimeout(30_000);
  return browser;
}

/** Gives a tab a virtual authenticator, which confirms everything by itself until it is told not to. */
export async function virtualAuthenticator(page, transport = "internal") {
  const cdp = (page.authenticators ??= await page.context().newCDPSession(page));
  await cdp.send("WebAuthn.enable", { enableUI: false });
  const { authenticatorId } = await cdp.send("WebAuthn.addVirtualAuthenticator", {
    options: {
      protocol: "ctap2", ctap2Version: "ctap2_1", transport, hasResidentKey: true, hasUserVerification: true,
      isUserVerified: true, automaticPresenceSimulation: true,
    },
  });
  return {
    all: async () => (await cdp.send("WebAuthn.getCredentials", { authenticatorId })).credentials,
    put: (credential) => cdp.send("WebAuthn.addCredential", { authenticatorId, credential }),
    remove: () => cdp.send("WebAuthn.removeVirtualAuthenticator", { authenticatorId }),
    touch: (enabled) => cdp.send("WebAuthn.setAutomaticPresenceSimulation", { authenticatorId, enabled }),
  };
}
