//! The organisation of the documentation: what a newcomer finds behind `acme.awsapps.com`.

use crate::product::{Product, run};
use crate::program;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;
use tegata_sandbox::{Account, Options, Organization, Sandbox, Settings, User};

/// Its start URL.
pub const START_URL: &str = "https://acme.awsapps.com/start";

/// A browser that allows every sign-in: it follows the redirects, as a person's click would, and lets the command line go on.
pub const BROWSER: &str = "#!/bin/sh\nsetsid curl -sL -m 20 \"$1\" >/dev/null 2>&1 </dev/null &\n";

/// Starts AWS with this organisation: three accounts, three roles in each. The administrators' credentials live an hour.
///
/// # Panics
/// When the sandbox does not start.
#[must_use]
pub fn sandbox() -> Sandbox {
    let account = |id: &str, name: &str| Account::new(id, name, &["Admin", "Billing", "ReadOnly"]);
    let accounts = vec![
        account("123456789012", "Acme Dev"),
        account("210987654321", "Acme Staging"),
        account("345678901234", "Acme Prod"),
    ];
    let organization = Organization {
        start_url: START_URL.to_owned(),
        users: vec![User::new("ann")],
        signed_in: "ann".to_owned(),
        accounts,
        ..Organization::default()
    };
    let settings = Settings { organizations: vec![organization], ..Settings::default() };
    Sandbox::start_with(Options { settings, ..Options::default() }).expect("the sandbox starts")
}

/// Makes a home in which AWS was never configured: the programs are in its `.local/bin`, which stands first in `PATH` with the
/// `more` directories behind it, and a browser allows sign-ins.
///
/// # Panics
/// When the machine does not let it.
#[must_use]
pub fn fresh_home(more: &str) -> Product {
    let mut product = Product::with(sandbox());
    fs::remove_dir_all(product.path(".aws")).expect("it was made");
    fs::create_dir_all(product.path(".local/bin")).expect("a directory");
    for name in ["tegata", "tegatad"] {
        // By another process: a program that this one had open for writing could be busy in a sibling's fork.
        let copied = run(Command::new("cp").arg(program(name)).arg(product.path(".local/bin")));
        assert_eq!(copied.code, 0, "{copied:?}");
    }
    product.cli_binary = product.path(".local/bin/tegata");
    product.daemon_binary = product.path(".local/bin/tegatad");
    let browser = product.path("browser");
    fs::write(&browser, BROWSER).expect("a file");
    fs::set_permissions(&browser, fs::Permissions::from_mode(0o755)).expect("a program");
    let path = format!("{}:{more}:/usr/local/bin:/usr/bin:/bin", product.path(".local/bin").display());
    product.environment.extend([
        ("PATH".to_owned(), path),
        ("BROWSER".to_owned(), browser.display().to_string()),
        ("SHELL".to_owned(), "/bin/bash".to_owned()),
    ]);
    product
}
