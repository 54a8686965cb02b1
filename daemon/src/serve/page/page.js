
"use strict";
(() => {
  const ARMED_AFTER = 500; // ms; nobody reads a page faster, and a click meant for something else has landed by then
  const LOOK_EVERY = 2000;
  const PATIENCE_WITHOUT_ANSWER = 5;

  const TIERS = {
    prompt: ["Tier prompt:", "this asks before Tegata answers. A program running as you could still take the sign-in token from the keyring and go round the question."],
    sealed: ["Tier sealed:", "what is stored for this is encrypted, and only a passkey opens it."],
    enforced: ["Tier enforced:", "without this approval AWS itself refuses."],
  };

  const PURPOSES = {
    elevate: {
      title: (view) => `Approve ${view.profile ?? "access"}?`,
      lead: "A program asks for credentials that wait behind your passkey.",
      act: "Approve with passkey",
      done: ["Approved", "The program that asked goes on by itself."],
    },
    add_passkey: {
      title: () => "Create a passkey?",
      lead: "Your browser asks next where to keep it: on this device, a phone or a security key.",
      first: "A passkey that is already enrolled says yes first; then the new one is made.",
      act: "Approve with passkey",
      done: ["Passkey created", "From now on it opens what Tegata keeps behind a passkey."],
    },
    remove_passkey: {
      title: () => "Remove a passkey?",
      lead: "Nothing can be approved with it afterwards.",
      act: "Approve with passkey",
      done: ["Passkey removed", "It opens nothing any more."],
    },
    test_passkey: {
      title: () => "Try your passkey?",
      lead: "Nothing follows from it.",
      act: "Try passkey",
      done: ["Your passkey works", "Nothing was given out."],
    },
    accept_policy: {
      title: () => "Accept these settings?",
      lead: "They ask for less than those in force. Until you accept, the stricter ones hold.",
      act: "Approve with passkey",
      done: ["Settings accepted", "They are in force now."],
    },
    unlock: {
      title: () => "Unlock Tegata?",
      lead: "Programs are served again afterwards.",
      act: "Unlock with passkey",
      done: ["Unlocked", "Programs are served again."],
    },
  };

  const CLOSE = "You can close this page.";
  const OVER = ["stopped", "This page is over", "A link opens once. Run the command again; for a request that still waits, run tegata approve."];
  const NO_PASSKEYS = ["stopped", "This browser has no passkeys", "The link still works once: copy it from the terminal into a current Chrome, Edge, Firefox or Safari."];
  const NO_ANSWER = ["stopped", "Tegata does not answer", "It may have ended. Run the command again."];

  const part = (id) => document.getElementById(id);
  const show = (element, shown) => { element.hidden = !shown; };
  const say = (element, text) => { if (element.textContent !== text) element.textContent = text; };

  class Refusal extends Error {
    constructor({ error, message }) { super(message); this.code = error; }
  }

  let token = null;      // lives here and nowhere else
  let view = null;
  let drawn = "";
  let deadline = 0;      // by performance.now()
  let armedAt = Infinity;
  let ceremony = null;   // its AbortController
  let ended = false;
  let unanswered = 0;

  // --- Talking to tegatad ---

  async function call(act, header, body = {}) {
    const answer = await fetch(`/api/${act}`, {
      method: "POST",
      headers: { "Content-Type": "application/json", "Tegata-Page": header },
      body: JSON.stringify(body),
      cache: "no-store",
      credentials: "omit",
      redirect: "error",
    });
    const said = await answer.json();
    if (!answer.ok) throw new Refusal(said);
    return said;
  }

  // Shows what went wrong: where the page is over, as its last word.
  function fail(error) {
    if (error instanceof Refusal && error.code === "over") end(...OVER);
    else if (error instanceof Refusal && error.code === "cool_down") end("stopped", "Too many failed attempts", `${capital(error.message)}.`);
    else if (error instanceof Refusal) trouble(`${capital(error.message)}.`);
    else trouble(explain(error));
  }

  function explain(error) {
    switch (error?.name) {
      case "NotAllowedError": return "The passkey was not used: it was cancelled, took too long, or this device has none that fits. You can try again.";
      case "InvalidStateError": return "This device or key already has a passkey for Tegata. Choose another one.";
      case "SecurityError": return "This browser does not let this page use passkeys. Open the link in another browser.";
      case "NotSupportedError": return "This device or key cannot make such a passkey. Choose another one.";
      case "TypeError": return "Tegata does not answer. You can try again.";
      default: return `The passkey could not be used (${error?.name ?? "unknown error"}). You can try again.`;
    }
  }

  // --- Showing ---

  function draw(next) {
    if (ended) return;
    const turned = view === null || view.state !== next.state;
    view = next;
    deadline = performance.now() + next.expires_in_seconds * 1000;
    const purpose = PURPOSES[next.purpose];
    if (next.state === "approved") return end("approved", purpose.done[0], `${purpose.done[1]} ${CLOSE}`);
    if (next.state === "refused") return end("refused", "Refused", `Nothing was given out and nothing has changed. ${CLOSE}`);
    if (next.state === "expired") return end("expired", "Nobody waits any more", "The request has ended, and nothing was given out. If you still need it, run the command again.");
    const { expires_in_seconds: _, ...lasting } = next;
    if (drawn !== JSON.stringify(lasting)) {
      drawn = JSON.stringify(lasting);
      drawRequest(purpose);
    }
    drawTime();
    if (turned) {
      part("left-bar").max = Math.max(next.expires_in_seconds, 1);
      arm();
      part("title").focus({ preventScroll: true });
    }
  }

  function drawRequest(purpose) {
    const making = view.state === "awaits_enrolment";
    const gestureFirst = view.purpose === "add_passkey" && !making;
    part("card").dataset.state = "waits";
    part("card").setAttribute("aria-busy", "false");
    title(purpose.title(view));
    say(part("lead"), gestureFirst ? purpose.first : purpose.lead);
    say(part("code"), view.code);
    show(part("code-box"), true);
    drawFacts();
    const weaker = namesPasskey() ? [] : view.changes;
    part("changes").replaceChildren(...weaker.map((line) => element("li", line)));
    show(part("changes-box"), weaker.length > 0);
    drawApprovals();
    const tier = TIERS[view.tier];
    show(part("tier"), Boolean(tier));
    if (tier) [part("tier-name").textContent, part("tier-text").textContent] = tier;
    const act = view.approvals_given.length > 0 ? "Approve as another person" : purpose.act;
    if (!ceremony) say(part("approve"), making ? "Create passkey" : act);
    show(part("actions"), true);
    show(part("time"), true);
  }

  function drawFacts() {
    const rows = [
      ["Profile", view.profile],
      ["Account", view.account],
      ["Role", view.role && breakable(view.role)],
      ["Lasts", view.window_seconds && lasting(view.window_seconds)],
      ["Reason", view.reason],
      ["Passkey", namesPasskey() && view.changes.join(", ")],
      ["Person", view.person],
      ["Asked by", view.requester.length > 0 && asked(view.requester)],
    ].filter(([, value]) => value);
    part("facts").replaceChildren(...rows.flatMap(([name, value]) => {
      const shown = element("dd");
      shown.append(value);
      return [element("dt", name), shown];
    }));
    show(part("facts"), rows.length > 0);
  }

  // Of a passkey that comes or goes the name is all that changes.
  function namesPasskey() { return view.purpose === "add_passkey" || view.purpose === "remove_passkey"; }

  // A long ARN breaks behind a slash, where a reader would.
  function breakable(name) {
    const line = document.createDocumentFragment();
    name.split(/(?<=\/)/).forEach((piece) => line.append(piece, element("wbr")));
    return line;
  }

  // "terraform 4242 ← bash 4100"
  function asked(programs) {
    const line = document.createDocumentFragment();
    programs.forEach((program, index) => {
      const shown = element("span", program);
      if (index > 0) shown.className = "from";
      line.append(...(index > 0 ? [" ", shown] : [shown]));
    });
    return line;
  }

  function drawApprovals() {
    const given = view.approvals_given;
    show(part("approvals"), view.approvals_needed > 1);
    if (view.approvals_needed < 2) return;
    const count = `${given.length} of ${view.approvals_needed} approvals`;
    const text = given.length === 0
      ? `${count}. Two different people approve, each with a passkey of their own.`
      : `${count}: ${given.join(", ")}. Now somebody else approves with a passkey of their own, here or on another page of this request.`;
    if (part("approvals").textContent && part("approvals").textContent !== text) announce(text);
    say(part("approvals"), text);
  }

  function drawTime() {
    const seconds = Math.max(0, Math.ceil((deadline - performance.now()) / 1000));
    part("left-bar").value = seconds;
    say(part("left"), `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")} left`);
    if (seconds === 60) announce("One minute left.");
    if (seconds === 15) announce("15 seconds left.");
    return seconds;
  }

  // The last thing this page shows.
  function end(state, heading, text) {
    if (ended) return;
    ended = true;
    token = null;
    ceremony?.abort();
    for (const id of ["code-box", "facts", "changes-box", "approvals", "tier", "actions", "time"]) show(part(id), false);
    trouble("");
    part("card").dataset.state = state;
    part("card").setAttribute("aria-busy", "false");
    title(heading);
    say(part("lead"), text);
    announce(`${heading}. ${text}`);
    part("title").focus({ preventScroll: true });
  }

  function title(text) {
    say(part("title"), text);
    // No name of a profile in the browser's history.
    document.title = `${ended ? text : "Approval"} · Tegata`;
  }

  function trouble(text) { say(part("trouble"), text); }
  function announce(text) { say(part("announcer"), text); }
  function capital(text) { return text.charAt(0).toUpperCase() + text.slice(1); }

  function element(name, text) {
    const made = document.createElement(name);
    if (text !== undefined) made.textContent = text;
    return made;
  }

  function lasting(seconds) {
    const units = [["hour", 3600], ["minute", 60], ["second", 1]];
    let left = seconds;
    const words = units.flatMap(([name, size]) => {
      const count = Math.floor(left / size);
      left -= count * size;
      return count > 0 ? [`${count} ${name}${count === 1 ? "" : "s"}`] : [];
    });
    return words.join(" ");
  }

  // --- Being asked ---

  // The buttons do nothing until the request has been in view for a moment.
  function arm() {
    armedAt = performance.now() + ARMED_AFTER;
    drawButtons();
    setTimeout(drawButtons, ARMED_AFTER + 20);
  }

  function isArmed() { return performance.now() >= armedAt && document.visibilityState === "visible"; }

  function drawButtons() {
    part("approve").setAttribute("aria-disabled", String(!isArmed() || ceremony !== null));
    part("refuse").setAttribute("aria-disabled", String(!isArmed()));
  }

  // A click that a script made up is nobody's.
  function onClick(button, act) {
    part(button).addEventListener("click", (event) => {
      if (event.isTrusted && isArmed() && !ended) act();
    });
  }

  async function approve() {
    if (ceremony) return;
    ceremony = new AbortController();
    const { signal } = ceremony;
    const label = part("approve").textContent;
    trouble("");
    say(part("approve"), "Waiting for your passkey…");
    drawButtons();
    let next = null;
    try {
      const { publicKey } = await call("begin", token);
      const answer = await gesture(publicKey, signal);
      next = await call("finish", token, answer.toJSON());
    } catch (error) {
      if (!signal.aborted) fail(error);
    }
    ceremony = null;
    if (ended) return;
    say(part("approve"), label);
    drawn = "";
    if (next) draw(next);
    arm();
  }

  function gesture(options, signal) {
    if (view.state === "awaits_enrolment") {
      return navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options), signal });
    }
    return navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options), signal, mediation: "required" });
  }

  async function refuse() {
    ceremony?.abort();
    try {
      draw(await call("refuse", token));
    } catch (error) {
      fail(error);
    }
  }

  // --- The way through ---

  async function look() {
    if (ended) return;
    try {
      const next = await call("view", token);
      unanswered = 0;
      draw(next);
    } catch (error) {
      if (error instanceof Refusal) { if (error.code === "over") end(...OVER); }
      else if (++unanswered >= PATIENCE_WITHOUT_ANSWER) end(...NO_ANSWER);
    }
    if (!ended) setTimeout(look, LOOK_EVERY);
  }

  function tick() {
    if (ended) return;
    drawTime();
    setTimeout(tick, 500);
  }

  function canUsePasskeys() {
    return typeof PublicKeyCredential === "function"
      && typeof PublicKeyCredential.parseCreationOptionsFromJSON === "function"
      && typeof PublicKeyCredential.parseRequestOptionsFromJSON === "function"
      && typeof PublicKeyCredential.prototype.toJSON === "function";
  }

  async function start() {
    const secret = location.hash.slice(1);
    // Out of the address bar and the history, before anything else happens.
    history.replaceState(null, "", location.pathname);
    // A next link in the same tab changes nothing but the fragment.
    addEventListener("hashchange", () => location.reload());
    // Before the secret is spent, so that the link still works elsewhere.
    if (!canUsePasskeys()) return end(...NO_PASSKEYS);
    if (!secret) return end(...OVER);
    try {
      const opened = await call("open", secret);
      token = opened.token;
      draw(opened.view);
    } catch (error) {
      return error instanceof Refusal && error.code === "over" ? end(...OVER) : end(...NO_ANSWER);
    }
    onClick("approve", approve);
    onClick("refuse", refuse);
    document.addEventListener("visibilitychange", arm);
    setTimeout(look, LOOK_EVERY);
    tick();
  }

  start();
})();
