//! Somebody at the keyboard of bash, zsh and fish: the prompt, Tab, coming into a directory, choosing from the list.
#![cfg(feature = "system")]

use std::fs;
use tegata_tests::product::{Product, run, wait_until};
use tegata_tests::program;
use tegata_tests::screen::Screen;

/// A shell with start files of one's own: how it is started, where its start file is, what is in it.
struct Shell {
    words: &'static [&'static str],
    start_file: &'static str,
    /// What a person had there before.
    before: &'static str,
    load: &'static str,
}

const BASH: Shell = Shell {
    words: &["bash", "--noprofile", "--rcfile", ".bashrc", "-i"],
    start_file: ".bashrc",
    before: "set -u\nPROMPT_COMMAND='own=$?'\nPS1='[own ${own-}]$ '\n",
    load: "eval \"$(tegata shell-init bash --prompt)\"\n",
};
const ZSH: Shell = Shell {
    words: &["zsh", "-i"],
    start_file: ".zshrc",
    before: "setopt no_global_rcs\nautoload -Uz compinit\ncompinit -u -D\nprecmd() { own=$? }\nsetopt prompt_subst\nPROMPT='[own ${own-}]$ '\n",
    load: "eval \"$(tegata shell-init zsh --prompt)\"\n",
};
const FISH: Shell = Shell {
    words: &["fish", "-i"],
    start_file: ".config/fish/config.fish",
    before: "set fish_greeting\nfunction fish_prompt\n    printf '[own %s]$ ' $status\nend\n",
    load: "tegata shell-init fish --prompt | source\n",
};

/// Signed in and served, `work/.tegata` names `dev`, `$(>pwned)` is a profile.
fn product() -> Product {
    let mut product = Product::new();
    let config = product.default_aws_config();
    let dev = config.split("[profile ").nth(1).unwrap();
    let also = |name: &str| format!("[profile {}", dev.replacen("dev]", &format!("{name}]"), 1));
    product.write_aws_config(&format!("{config}{}{}", also("開発-管理"), also("$(>pwned)")));
    for directory in [".config/fish", "work/deep", "bin"] {
        fs::create_dir_all(product.path(directory)).unwrap();
    }
    fs::write(product.path("work/.tegata"), "dev\n").unwrap();
    std::os::unix::fs::symlink(program("tegata"), product.path("bin/tegata")).unwrap();
    product.start_daemon();
    product.sign_in();
    assert_eq!(product.credentials("dev").code, 0);
    product
}

fn open(product: &Product, shell: &Shell) -> Screen {
    fs::write(product.path(shell.start_file), format!("{}{}", shell.before, shell.load)).unwrap();
    let path = format!("{}:/usr/local/bin:/usr/bin:/bin", product.path("bin").display());
    let home = product.path("").display().to_string();
    let screen = Screen::open(product, &[("PATH", &path), ("ZDOTDIR", &home), ("SHELL", "/bin/bash")], shell.words);
    screen.shows("[own 0]$");
    screen
}

/// Waits for a prompt behind which nothing is typed: Tegata's segment, with or without the time left, then the person's own.
fn at_prompt(screen: &Screen, profile: &str, status: u8) {
    let (segment, own) = (format!("({profile}"), format!(") [own {status}]$"));
    let shown = std::cell::RefCell::new(String::new());
    let is_there = || {
        *shown.borrow_mut() = screen.shown();
        let shown = shown.borrow();
        let between = shown.trim_end().lines().last().and_then(|line| line.strip_prefix(&segment)?.strip_suffix(&own));
        between.is_some_and(|left| left.is_empty() || left.starts_with(' ') && left.ends_with('m'))
    };
    wait_until(&format!("the prompt shows {profile} and {status}"), is_there);
}

#[test]
fn bash_asks_switches_shows_completes_and_forgets_nothing() {
    spends_a_morning(&BASH);
}

#[test]
fn zsh_asks_switches_shows_completes_and_forgets_nothing() {
    spends_a_morning(&ZSH);
}

#[test]
fn fish_asks_switches_shows_completes_and_forgets_nothing() {
    spends_a_morning(&FISH);
}

fn spends_a_morning(shell: &Shell) {
    let product = product();
    let screen = open(&product, shell);

    // Into a directory with a default: asked once, used only then.
    screen.enters("cd work");
    screen.shows("names the profile dev; to use it here run: tg --trust");
    screen.enters("echo \"first:$(printenv AWS_PROFILE):\"");
    screen.shows("first::");
    screen.enters("tg --trust");
    screen.shows("this shell uses dev, as");
    // Tegata's segment stands before the person's own prompt, and its hook still sees the status.
    at_prompt(&screen, "dev", 0);
    screen.enters("cd deep; false");
    at_prompt(&screen, "dev", 1);

    // Out again.
    screen.enters("clear; cd ../..");
    screen.shows("this shell uses what it used before this directory");
    screen.enters("echo \"second:$(printenv AWS_PROFILE):\"");
    screen.shows("second::");
    screen.enters("clear; cd work");
    at_prompt(&screen, "dev", 0);
    assert!(!screen.shown().contains("tg --trust"), "it asked twice");

    // Tab knows the profiles, and what is completed is a name and nothing else.
    screen.enters("clear; cd ..");
    screen.types("tg adm");
    screen.presses(&["Tab"]);
    screen.shows("tg admin");
    screen.presses(&["Enter"]);
    at_prompt(&screen, "admin", 0);
    screen.types("tg \\$");
    screen.presses(&["Tab"]);
    screen.shows("pwned\\)");
    screen.presses(&["Enter"]);
    at_prompt(&screen, "$(>pwned)", 0);
    screen.types("tegata elev");
    screen.presses(&["Tab"]);
    screen.shows("tegata elevate");
    screen.presses(&["C-c"]);

    // The list: what was used lately stands first.
    screen.enters("clear; tg");
    let list = screen.shows("Enter chooses, Esc leaves");
    assert!(list.contains("> $(>pwned)") && list.contains("* admin"), "{list}");
    screen.types("dev");
    screen.shows("> dev");
    screen.presses(&["Enter"]);
    at_prompt(&screen, "dev", 0);
    screen.enters("echo \"third:$(printenv AWS_PROFILE):\"");
    let shown = screen.shows("third:dev:");
    assert!(!shown.contains("chooses"), "the list is still there:\n{shown}");
    screen.enters("clear; tg -");
    at_prompt(&screen, "$(>pwned)", 0);
    screen.enters("tg");
    screen.shows("Enter chooses, Esc leaves");
    screen.presses(&["Escape"]);
    at_prompt(&screen, "$(>pwned)", 130);
    screen.enters("exit");
    let _ = screen.ends();
    assert!(!product.path("pwned").exists() && !product.path("work/pwned").exists(), "a name ran");
}

#[test]
fn tegata_alone_lets_a_person_choose_and_prints_what_puts_it_into_effect() {
    let product = product();
    let tegata = program("tegata").display().to_string();
    let screen = Screen::open(&product, &[("SHELL", "/bin/bash")], &[&tegata]);
    let list = screen.shows("4/4  Enter chooses, Esc leaves");
    let rows: Vec<_> = list.lines().skip_while(|line| !line.starts_with("> dev")).collect();
    // Columns align: each wide character takes two cells of the terminal's own counting.
    let column = |row: &str| {
        row.char_indices()
            .take_while(|(at, _)| !row[*at..].starts_with("123456789012"))
            .map(|(_, c)| if c.is_ascii() { 1 } else { 2 })
            .sum::<usize>()
    };
    assert!(rows[2].contains("開発-管理  ReadOnly"), "{list}");
    assert_eq!(
        rows.iter().take(4).map(|row| column(row)).collect::<std::collections::BTreeSet<_>>().len(),
        1,
        "{list}"
    );
    screen.types("管理");
    screen.shows("> 開発-管理");
    screen.presses(&["Enter"]);
    assert_eq!(screen.ends(), 0);
    let shown = screen.shows("export AWS_PROFILE='開発-管理'");
    assert!(shown.contains("tegata shell-init --help") && !shown.contains("chooses"), "{shown}");
}

#[test]
fn whoever_leaves_the_list_leaves_nothing_behind() {
    let product = product();
    let script =
        format!("out=$({} pick); echo code:$?:$out:; stty -a | grep -o -- '-*icanon'", program("tegata").display());
    for keys in [&["Escape"][..], &["C-c"], &["x", "x", "x", "Enter", "C-g"]] {
        let screen = Screen::open(&product, &[], &["sh", "-c", &script]);
        screen.shows("Enter chooses, Esc leaves");
        screen.presses(keys);
        assert_eq!(screen.ends(), 0);
        let shown = screen.shows("code:130::");
        assert!(shown.contains("\nicanon") && !shown.contains("Profile:"), "{keys:?}\n{shown}");
    }
}

#[test]
fn the_choice_goes_to_whoever_reads_standard_output() {
    let product = product();
    let script = format!("out=$({} pick adm); echo chosen:$out:", program("tegata").display());
    let screen = Screen::open(&product, &[("NO_COLOR", "1")], &["sh", "-c", &script]);
    screen.shows("> admin");
    screen.presses(&["Enter"]);
    screen.shows("chosen:admin:");
    let recent = fs::read_to_string(product.state_dir().join("recent-profiles")).unwrap();
    assert_eq!(recent, "admin\n");
}

#[test]
fn without_a_terminal_there_is_no_list() {
    let product = product();
    let alone = run(&mut product.tegata(&[]));
    assert_eq!((alone.code, alone.stdout.as_str()), (2, ""));
    assert!(alone.stderr.contains("Usage: tegata"));
    let mut pick = product.command("setsid");
    let ended = run(pick.args(["--wait"]).arg(program("tegata")).arg("pick"));
    assert_eq!((ended.code, ended.stdout.as_str()), (2, ""), "{ended:?}");
    assert_eq!(ended.stderr, "tegata: there is no terminal to choose a profile on; name the profile\n");
}
