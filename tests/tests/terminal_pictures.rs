//! The terminals that the documentation shows: a day with the real programs in a real terminal, each screen kept as a picture. Here
//! a screen that changed fails; `make screens` draws them anew.
#![cfg(feature = "system")]

use std::fs;
use std::path::Path;
use tegata_tests::hand::Hand;
use tegata_tests::keyring::{Around, PrivateKeyring};
use tegata_tests::picture::{self, Same};
use tegata_tests::product::{Product, wait_until};
use tegata_tests::screen::{Screen, Size};
use tegata_tests::{acme, client};

const SIZE: Size = Size { columns: 110, rows: 48 };
/// As long as the temporary home's path, so that no table is laid out otherwise.
const HOME: &str = "/home/yoshiko";
const PROMPT: &str = "\\[\\e[1;32m\\]$\\[\\e[0m\\] ";

/// Somebody at a terminal, whose screens are kept.
struct Desk {
    product: Product,
    screen: Screen,
    same: Same,
    stale: Vec<String>,
    _keyring: PrivateKeyring,
}

impl Desk {
    fn open() -> Self {
        let keyring = PrivateKeyring::start(Around::Nothing);
        let aws = client("awscli-v2/dist/aws");
        let mut product = acme::fresh_home(&aws.parent().unwrap().display().to_string());
        product.write_settings("store = \"secret-service\"\n");
        let sandbox = product.sandbox().url();
        product.environment.extend([("DBUS_SESSION_BUS_ADDRESS".to_owned(), keyring.address())]);
        product.start_daemon();
        let home = product.path("");
        assert_eq!(
            home.display().to_string().trim_end_matches('/').len(),
            HOME.len(),
            "pictures are drawn in a home of /tmp; unset TMPDIR"
        );
        let mut tmux = product.command("tmux");
        tmux.env("PS1", PROMPT).env("AWS_ENDPOINT_URL_STS", &sandbox).env("AWS_PAGER", "");
        let screen = Screen::start(tmux, &home, SIZE, &["bash", "--noprofile", "--norc", "-i"]);
        let same = Same::everywhere()
            .and(r"http://127\.0\.0\.1:40123/authorize\S*", "https://oidc.us-east-1.amazonaws.com/authorize?…")
            .and(r"http://127\.0\.0\.1:40123/federation\S*", "https://signin.aws.amazon.com/federation?Action=login&…")
            .path(&home, HOME);
        let desk = Self { product, screen, same, stale: vec![], _keyring: keyring };
        desk.at_prompt();
        desk
    }

    /// Waits until the shell wants the next line.
    fn at_prompt(&self) {
        wait_until("the shell prompts", || self.screen.shown().trim_end().lines().last() == Some("$"));
    }

    /// Types a line on an empty screen.
    fn begins(&self, line: &str) {
        self.screen.enters("clear && tmux -S \"${TMUX%%,*}\" clear-history");
        wait_until("the screen is empty", || self.screen.shown().trim() == "$");
        self.types(line);
    }

    /// Types a line, and waits until it is there.
    fn types(&self, line: &str) {
        self.screen.types(line);
        wait_until("the line is typed", || self.screen.shown().contains(line));
        self.screen.presses(&["Enter"]);
        wait_until("the line is taken", || !self.screen.shown().trim_end().ends_with(line));
    }

    /// Types a line and waits until it has run.
    fn runs(&self, line: &str) {
        self.types(line);
        self.at_prompt();
    }

    /// Keeps what is on the screen, from the first line that holds `from`.
    fn keeps(&mut self, name: &str, title: &str, from: &str, description: &str) {
        let drawn = self.same.of(&self.screen.drawn());
        let lines: Vec<_> = drawn.lines().map(str::trim_end).skip_while(|line| !line.contains(from)).collect();
        // The prompt that waits for the next line says nothing.
        let end = lines.iter().rposition(|line| !["", "$"].contains(&plain(line).trim())).map_or(0, |last| last + 1);
        assert!(end > 0, "{from:?} is not in\n{drawn}");
        let kept = wrapped(&lines[..end].join("\n"), SIZE.columns);
        if let Err(why) = picture::keep(&format!("terminal-{name}.svg"), &picture::svg(title, description, &kept)) {
            self.stale.push(why);
        }
    }

    /// Returns the first address on the screen that begins so.
    fn address(&self, begin: &str) -> String {
        let shown = self.screen.shows(begin);
        let at = shown.find(begin).unwrap();
        shown[at..].split_whitespace().next().unwrap().to_owned()
    }
}

/// A line without the sequences that colour it.
fn plain(line: &str) -> String {
    let parts = line.split('\u{1b}').enumerate();
    parts.map(|(at, part)| if at == 0 { part } else { part.split_once('m').map_or("", |(_, rest)| rest) }).collect()
}

/// Breaks lines where a terminal does, without counting what only colours.
fn wrapped(drawn: &str, columns: usize) -> String {
    let (mut out, mut column, mut in_sequence) = (String::new(), 0, false);
    for c in drawn.chars() {
        match c {
            '\n' => column = 0,
            '\u{1b}' => in_sequence = true,
            _ if in_sequence => in_sequence = !c.is_ascii_alphabetic(),
            _ if column == columns => {
                out.push('\n');
                column = 1;
            }
            _ => column += 1,
        }
        out.push(c);
    }
    out
}

#[test]
fn the_terminals_of_the_documentation_are_what_the_programs_draw() {
    let mut desk = Desk::open();
    sets_up(&mut desk);
    let mut hand = looks_around(&mut desk);
    works(&mut desk, &mut hand);
    goes_wrong(&mut desk);
    // Whatever Rust makes has the word in its names.
    fs::remove_dir_all(desk.product.path(".local/bin")).unwrap();
    desk.product.assert_no_canaries();
    assert!(desk.stale.is_empty(), "{:#?}", desk.stale);
}

fn sets_up(desk: &mut Desk) {
    desk.begins("tegata setup");
    desk.screen.shows("Start URL of your organisation");
    desk.screen.enters("acme.awsapps.com");
    desk.screen.shows("Region of its IAM Identity Center");
    desk.screen.enters("us-east-1");
    desk.screen.shows("Name of this sign-in session [acme]");
    desk.screen.enters("");
    desk.screen.shows("9/9, 0 ticked");
    desk.screen.types("dev");
    desk.screen.shows("3/9, 0 ticked");
    desk.screen.presses(&["Right"]);
    desk.screen.shows("3/9, 3 ticked");
    desk.keeps(
        "setup-choose",
        "tegata setup: choosing roles",
        "tegata setup",
        "tegata setup has asked for the start URL, the region and a name, signed in, and found three accounts with nine roles. \
         A list of them is narrowed to those that fit the typed word dev, and the three that are left are ticked.",
    );
    desk.screen.presses(&["Enter"]);
    desk.screen.shows("Name template");
    desk.screen.enters("");
    desk.screen.shows("[y/N]");
    desk.keeps(
        "setup-difference",
        "tegata setup: what is to be written",
        "Name template",
        "The difference to the AWS config file, with each new line behind a plus sign: a sign-in session and three profiles between \
         two marker lines. Then each profile with what stands before it, and the question whether this is to be written.",
    );
    desk.screen.enters("y");
    desk.at_prompt();
    desk.keeps(
        "setup-done",
        "tegata setup: what is next",
        "Wrote ",
        "Three profiles were written. The next commands: try a profile, list them all, enrol a passkey.",
    );
    let rest = desk.product.run(&["setup", "--session", "acme", "--all", "--yes"]);
    assert_eq!(rest.code, 0, "{rest:?}");
}

fn looks_around(desk: &mut Desk) -> Hand {
    let hand = desk.product.enrol("ann", None);
    desk.begins("tegata list");
    desk.at_prompt();
    desk.keeps(
        "list",
        "tegata list",
        "tegata list",
        "A table of the nine profiles, each with its sign-in session, account, role and tier.",
    );
    desk.begins("tegata");
    desk.screen.shows("Enter chooses, Esc leaves");
    desk.screen.types("pro adm");
    desk.screen.shows("3/9");
    desk.keeps(
        "picker",
        "tegata alone: choosing a profile",
        "tegata",
        "A list of profiles, narrowed by what was typed, the best fit first.",
    );
    desk.screen.presses(&["Escape"]);
    desk.at_prompt();
    hand
}

fn works(desk: &mut Desk, hand: &mut Hand) {
    desk.begins("tegata exec acme-dev-read-only -- aws sts get-caller-identity");
    desk.at_prompt();
    desk.keeps(
        "exec",
        "tegata exec with the AWS CLI",
        "tegata exec",
        "AWS CLI's get-caller-identity under tegata exec answers with the assumed role AWSReservedSSO_ReadOnly.",
    );
    desk.begins("tegata elevate acme-prod-admin --for 15m --reason 'INC-42: stuck deployment' --print");
    let page = desk.address("http://tegata.localhost");
    desk.screen.shows("Waiting for a passkey");
    assert_eq!(hand.approve(&page).expect("it approves")["state"], "approved");
    desk.screen.shows("Approved");
    desk.at_prompt();
    let same = std::mem::take(&mut desk.same);
    // The two words are others each time.
    desk.same = same.and(r"(?m)^(    \x1b\[1m)[a-z]+ [a-z]+", "${1}brave otter");
    desk.keeps(
        "elevate",
        "tegata elevate: two words to compare",
        "tegata elevate",
        "tegata elevate says what is asked for, the reason, by whom and what the tier is worth, shows two words that the page must show, \
         too, waits for the passkey, and says until when the profile may be used.",
    );
    desk.begins("tegata status");
    desk.at_prompt();
    desk.keeps(
        "status",
        "tegata status",
        "tegata status",
        "The store, the sign-in with its end, the live grant and the passkeys.",
    );
    desk.begins("tegata console acme-dev-read-only --service s3 --print");
    desk.at_prompt();
    desk.keeps(
        "console",
        "tegata console --print",
        "tegata console",
        "A link to the AWS console, shortened here, and until when it signs in.",
    );
}

fn goes_wrong(desk: &mut Desk) {
    desk.begins("tegata exec acme-dev-readonly -- terraform plan");
    desk.at_prompt();
    desk.runs("tegata exec acme-staging-admin --wait 0 -- terraform apply");
    desk.runs("tegata logout acme");
    desk.runs("tegata exec acme-dev-read-only -- terraform plan; echo $?");
    let same = std::mem::take(&mut desk.same);
    desk.same = same.and(r"approve [a-z0-9]{4,}", "approve cd457n");
    desk.keeps(
        "errors",
        "Errors name the command that mends them",
        "acme-dev-readonly",
        "Three errors of one line each: an unknown profile with the nearest name, a gated profile that waits for a hand, an ended \
         sign-in. Each ends with the command to run. The last exit code is 10.",
    );
    let config = fs::read_to_string(desk.product.path(".aws/config")).unwrap();
    let stale = config.replacen(
        &format!("{}/.local/bin/tegata", desk.product.path("").display()).replace("//", "/"),
        "/opt/old/tegata",
        1,
    );
    assert_ne!(config, stale);
    fs::write(desk.product.path(".aws/config"), stale).unwrap();
    let keys = "[old-script]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY\n";
    fs::write(desk.product.path(".aws/credentials"), keys).unwrap();
    desk.begins("unset AWS_ENDPOINT_URL_STS");
    desk.begins("tegata doctor");
    desk.at_prompt();
    desk.keeps(
        "doctor",
        "tegata doctor",
        "tegata doctor",
        "What was measured, then a table of findings with severity, check, what was found and the command that mends it.",
    );
    assert!(Path::new(&desk.product.path(".aws/credentials")).exists());
}
