//! The terminals that the documentation shows: a day with the real programs in a real terminal, each screen kept as a picture. Here
//! a screen that changed fails; `make screens` draws them anew.
#![cfg(feature = "system")]

use std::fs;
use std::path::Path;
use tegata_tests::hand::Hand;
use tegata_tests::keyring::{Around, PrivateKeyring};
use tegata_tests::picture;
use tegata_tests::product::Product;
use tegata_tests::typist::Typist;
use tegata_tests::{acme, client};

/// Somebody whose screens are kept.
struct Desk {
    // The terminal ends before the home that it is in.
    typist: Typist,
    product: Product,
    stale: Vec<String>,
    _keyring: PrivateKeyring,
}

impl Desk {
    fn open() -> Self {
        let keyring = PrivateKeyring::start(Around::Nothing);
        let aws = client("awscli-v2/dist/aws");
        let mut product = acme::fresh_home(&aws.parent().unwrap().display().to_string());
        product.write_settings("store = \"secret-service\"\n");
        product.environment.push(("DBUS_SESSION_BUS_ADDRESS".to_owned(), keyring.address()));
        product.start_daemon();
        let mut tmux = product.command("tmux");
        tmux.env("AWS_ENDPOINT_URL_STS", product.sandbox().url()).env("AWS_PAGER", "");
        let typist = Typist::sit_down(tmux, &product.path(""), &product.path(""));
        Self { typist, product, stale: vec![], _keyring: keyring }
    }

    /// Keeps what is on the screen, from the first line that holds `from`.
    fn keeps(&mut self, name: &str, title: &str, from: &str, description: &str) {
        let svg = picture::svg(title, description, &self.typist.drawn(from));
        if let Err(why) = picture::keep(&format!("terminal-{name}.svg"), &svg) {
            self.stale.push(why);
        }
    }
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
    desk.typist.begins("tegata setup");
    desk.typist.screen.shows("Start URL of your organisation");
    desk.typist.screen.enters("acme.awsapps.com");
    desk.typist.screen.shows("Region of its IAM Identity Center");
    desk.typist.screen.enters("us-east-1");
    desk.typist.screen.shows("Name of this sign-in session [acme]");
    desk.typist.screen.enters("");
    desk.typist.screen.shows("9/9, 0 ticked");
    desk.typist.screen.types("dev");
    desk.typist.screen.shows("3/9, 0 ticked");
    desk.typist.screen.presses(&["Right"]);
    desk.typist.screen.shows("3/9, 3 ticked");
    desk.keeps(
        "setup-choose",
        "tegata setup: choosing roles",
        "tegata setup",
        "tegata setup has asked for the start URL, the region and a name, signed in, and found three accounts with nine roles. \
         A list of them is narrowed to those that fit the typed word dev, and the three that are left are ticked.",
    );
    desk.typist.screen.presses(&["Enter"]);
    desk.typist.screen.shows("Name template");
    desk.typist.screen.enters("");
    desk.typist.screen.shows("[y/N]");
    desk.keeps(
        "setup-difference",
        "tegata setup: what is to be written",
        "Name template",
        "The difference to the AWS config file, with each new line behind a plus sign: a sign-in session and three profiles between \
         two marker lines. Then each profile with what stands before it, and the question whether this is to be written.",
    );
    desk.typist.screen.enters("y");
    desk.typist.at_prompt();
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
    desk.typist.begins("tegata list");
    desk.typist.at_prompt();
    desk.keeps(
        "list",
        "tegata list",
        "tegata list",
        "A table of the nine profiles, each with its account, role, what it starts from and its gate.",
    );
    desk.typist.begins("tegata");
    desk.typist.screen.shows("Enter chooses, Esc leaves");
    desk.typist.screen.types("pro adm");
    desk.typist.screen.shows("3/9");
    desk.keeps(
        "picker",
        "tegata alone: choosing a profile",
        "tegata",
        "A list of profiles, narrowed by what was typed, the best fit first.",
    );
    desk.typist.screen.presses(&["Escape"]);
    desk.typist.at_prompt();
    hand
}

fn works(desk: &mut Desk, hand: &mut Hand) {
    desk.typist.begins("tegata exec acme-dev-read-only -- aws sts get-caller-identity");
    desk.typist.at_prompt();
    desk.keeps(
        "exec",
        "tegata exec with the AWS CLI",
        "tegata exec",
        "AWS CLI's get-caller-identity under tegata exec answers with the assumed role AWSReservedSSO_ReadOnly.",
    );
    desk.typist.begins("tegata elevate acme-prod-admin --for 15m --reason 'INC-42: stuck deployment' --print");
    let page = desk.typist.address("http://tegata.localhost");
    desk.typist.screen.shows("Waiting for a passkey");
    assert_eq!(hand.approve(&page).expect("it approves")["state"], "approved");
    desk.typist.screen.shows("Approved");
    desk.typist.at_prompt();
    // The two words are others each time.
    desk.typist.also_same(r"(?m)^(    \x1b\[1m)[a-z]+ [a-z]+", "${1}brave otter");
    desk.keeps(
        "elevate",
        "tegata elevate: two words to compare",
        "tegata elevate",
        "tegata elevate says what is asked for, the reason, by whom and what the tier is worth, shows two words that the page must show, \
         too, waits for the passkey, and says until when the profile may be used.",
    );
    desk.typist.begins("tegata status");
    desk.typist.at_prompt();
    desk.keeps(
        "status",
        "tegata status",
        "tegata status",
        "The store, the sign-in with its end, the live grant and the passkeys.",
    );
    desk.typist.begins("tegata console acme-dev-read-only --service s3 --print");
    desk.typist.at_prompt();
    desk.keeps(
        "console",
        "tegata console --print",
        "tegata console",
        "A link to the AWS console, shortened here, and until when it signs in.",
    );
}

fn goes_wrong(desk: &mut Desk) {
    desk.typist.begins("tegata exec acme-dev-readonly -- terraform plan");
    desk.typist.at_prompt();
    desk.typist.runs("tegata exec acme-staging-admin --wait 0 -- terraform apply");
    desk.typist.runs("tegata logout acme");
    desk.typist.runs("tegata exec acme-dev-read-only -- terraform plan; echo $?");
    desk.typist.also_same(r"approve [a-z0-9]{4,}", "approve cd457n");
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
    desk.typist.begins("unset AWS_ENDPOINT_URL_STS");
    desk.typist.begins("tegata doctor");
    desk.typist.at_prompt();
    desk.keeps(
        "doctor",
        "tegata doctor",
        "tegata doctor",
        "What was measured, then a table of findings with severity, check, what was found and the command that mends it.",
    );
    assert!(Path::new(&desk.product.path(".aws/credentials")).exists());
}
