//! What `tegata shell-init` gives a shell, in real shells: switching, and nothing that a name or a file could run. The story
//! `shell_person` sits at the keyboard; this one needs no terminal. bash is everywhere; zsh and fish where they are installed.

use std::fs;
use std::process::{Command, Stdio};
use tegata_tests::product::{Ended, Product, run};
use tegata_tests::program;

/// Names that a shell, a prompt or a terminal could take for something else.
const HOSTILE: [&str; 6] = ["$(>pwned)", "`>pwned`", ";>pwned;", "a'>pwned'", "%F{red}%{>pwned%}", "開発~*?!"];

/// What each shell runs before a prompt.
const HOOK: &str = "__tegata_hook";

struct Shell {
    name: &'static str,
    /// What its start file says, behind `strict`.
    strict: &'static str,
    load: &'static str,
}

const SHELLS: [Shell; 3] = [
    Shell { name: "bash", strict: "set -eu", load: "eval \"$(\"$TEGATA\" shell-init bash)\"" },
    Shell { name: "zsh", strict: "set -eu", load: "eval \"$(\"$TEGATA\" shell-init zsh)\"" },
    Shell { name: "fish", strict: "", load: "eval \"$($TEGATA shell-init fish)\"" },
];

fn installed() -> Vec<&'static Shell> {
    let found = |shell: &&Shell| Command::new(shell.name).arg("-c").arg("true").stdin(Stdio::null()).status().is_ok();
    let installed: Vec<_> = SHELLS.iter().filter(found).collect();
    assert!(cfg!(not(feature = "system")) || installed.len() == SHELLS.len(), "tests/clients/install installs all");
    assert!(!installed.is_empty(), "no shell was tested");
    installed
}

/// Runs lines behind the code of `shell-init`, with variables that outrank a profile already set.
fn lines(product: &Product, shell: &Shell, lines: &str) -> Ended {
    let mut command = product.command(shell.name);
    if shell.name == "bash" {
        command.args(["--noprofile", "--norc"]);
    } else if shell.name == "zsh" {
        command.arg("-f");
    }
    command.env("TEGATA", program("tegata")).env("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE").env("AWS_SESSION_TOKEN", "x");
    command.env("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://127.0.0.1:1/").env("AWS_DEFAULT_PROFILE", "other");
    let ended = run(command.arg("-c").arg(format!("{}\n{}\n{lines}", shell.strict, shell.load)));
    assert!(!product.path("pwned").exists(), "{} ran a name: {ended:?}", shell.name);
    ended
}

fn variables(text: &str) -> Vec<&str> {
    let mut lines: Vec<_> =
        text.lines().filter(|line| line.starts_with("AWS_") || line.starts_with("TEGATA_")).collect();
    lines.sort_unstable();
    lines
}

/// The default profiles, one without a region, and one for each hostile name.
fn product() -> Product {
    let mut product = Product::new();
    let session = "tegata_sso_session = corp\ntegata_sso_account_id = 123456789012\ntegata_sso_role_name = ReadOnly\n";
    let hostile = HOSTILE.iter().map(|name| format!("[profile {name}]\n{session}\n"));
    let config = format!("{}[profile plain]\n{session}\n{}", product.default_aws_config(), hostile.collect::<String>());
    product.write_aws_config(&config);
    product.start_daemon();
    product
}

#[test]
fn tg_switches_the_shell_and_removes_what_outranks_a_profile() {
    let product = product();
    for shell in installed() {
        let ended = lines(&product, shell, "tg dev\nenv");
        assert_eq!(ended.code, 0, "{} {ended:?}", shell.name);
        let expected = ["AWS_DEFAULT_REGION=us-east-1", "AWS_PROFILE=dev", "AWS_REGION=us-east-1"];
        let tegata = format!("TEGATA={}", program("tegata").display());
        let found: Vec<_> = variables(&ended.stdout).into_iter().filter(|line| **line != *tegata).collect();
        assert_eq!(
            found,
            [&expected[..], &["TEGATA_PROFILE=dev", "TEGATA_REGION=us-east-1"]].concat(),
            "{}",
            shell.name
        );
        assert!(
            ended
                .stderr
                .contains("tegata: unset AWS_ACCESS_KEY_ID, AWS_SESSION_TOKEN, AWS_DEFAULT_PROFILE, AWS_CONTAINER"),
            "{ended:?}"
        );
    }
}

#[test]
fn tg_goes_back_and_clears() {
    let product = product();
    let echo = "echo \"<$AWS_PROFILE>\"";
    for shell in installed() {
        let unset = if shell.name == "fish" {
            "set -q AWS_PROFILE AWS_REGION; or echo gone"
        } else {
            "echo \"${AWS_PROFILE-gone}${AWS_REGION-}\""
        };
        let script = format!(
            "tg dev\ntg plain\n{echo}\necho \"<$TEGATA_PROFILE>\"\ntg -\n{echo}\ntg -\n{echo}\ntg --clear\n{unset}\ntg -\n{echo}\n"
        );
        let ended = lines(&product, shell, &script);
        assert_eq!(ended.stdout, "<plain>\n<plain>\n<dev>\n<plain>\ngone\n<plain>\n", "{} {ended:?}", shell.name);
    }
}

#[test]
fn a_profile_that_is_not_there_changes_nothing() {
    let product = product();
    for shell in installed() {
        let ended = lines(
            &product,
            shell,
            "tg dev\ntg dve || echo \"$status$?<$AWS_PROFILE>\" | tail -c 6\n"
                .replace("$status$?", if shell.name == "fish" { "$status" } else { "$?" })
                .as_str(),
        );
        assert_eq!(ended.stdout, "13<dev>\n".get(2..).unwrap(), "{} {ended:?}", shell.name);
        assert!(ended.stderr.contains("no profile \"dve\"") && ended.stderr.contains("nearest: dev"), "{ended:?}");
    }
}

#[test]
fn e11_a_profile_may_be_called_anything_and_nothing_of_it_runs() {
    let product = product();
    for shell in installed() {
        for name in HOSTILE {
            // As an argument of the script, so that this test's own quoting takes no part.
            let mut command = product.command(shell.name);
            command.env("TEGATA", program("tegata")).env("NAME", name);
            let init = shell.load.replace("shell-init", "shell-init --prompt");
            let script = format!("{init}\ntg \"$NAME\"\n{HOOK}\nprintf '%s|%s' \"$AWS_PROFILE\" \"$tegata_prompt\"");
            let ended = run(command.args(if shell.name == "zsh" { &["-f", "-c"][..] } else { &["-c"] }).arg(script));
            let shown = if shell.name == "zsh" { name.replace('%', "%%") } else { name.to_owned() };
            assert_eq!(ended.stdout, format!("{name}|({shown}) "), "{} {ended:?}", shell.name);
            assert!(!product.path("pwned").exists(), "{} ran {name}", shell.name);
        }
    }
}

#[test]
fn e11_hostile_directory_defaults_become_one_printable_line_and_no_code() {
    let product = product();
    let long = "x".repeat(5_000);
    let contents: [&[u8]; 8] = [
        b"dev\n$(>pwned)\n",
        b"\x1b]52;c;x\x07",
        b"\x1b[2Jdev",
        b"a\rb",
        b"\xff\xfe",
        b"",
        long.as_bytes(),
        "\u{202e}dev".as_bytes(),
    ];
    for content in contents {
        fs::write(product.path(".tegata"), content).unwrap();
        for shell in ["bash", "zsh", "fish", "powershell"] {
            let ended =
                product.run(&["shell-hook", "directory", "--shell", shell, product.path(".tegata").to_str().unwrap()]);
            assert_eq!((ended.code, ended.stderr.lines().count()), (0, 1), "{ended:?}");
            assert!(ended.stderr.contains("is not one line with a profile's name"), "{ended:?}");
            assert!(!ended.stderr.trim_end().chars().any(char::is_control), "{ended:?}");
            assert!(ended.stdout.contains("__tegata_state") && ended.stdout.lines().count() == 1, "{ended:?}");
        }
        let ended = product.run(&["trust"]);
        assert_eq!((ended.code, ended.stdout.as_str()), (1, ""), "{ended:?}");
    }
}

#[test]
fn e11_a_hostile_name_in_a_trusted_default_is_a_name_and_nothing_else() {
    let product = product();
    for shell in installed() {
        for name in HOSTILE {
            fs::create_dir_all(product.path("work")).unwrap();
            fs::write(product.path("work/.tegata"), name).unwrap();
            let asked = lines(&product, shell, &format!("cd work\n{}\necho \"<$(printenv AWS_PROFILE)>\"", HOOK));
            assert_eq!(asked.stdout, "<>\n", "{} used it without asking: {asked:?}", shell.name);
            assert!(asked.stderr.contains("run: tg --trust"), "{asked:?}");
            assert_eq!(product.run(&["trust", "work"]).code, 0);
            let used = lines(&product, shell, &format!("cd work\n{}\nprintenv AWS_PROFILE", HOOK));
            assert_eq!(used.stdout, format!("{name}\n"), "{} {used:?}", shell.name);
            assert!(used.stderr.contains("tegata: this shell uses "), "it was silent: {used:?}");
        }
    }
}

#[test]
fn other_content_in_a_trusted_file_is_asked_about_again_and_a_refused_one_is_not() {
    let product = product();
    fs::create_dir_all(product.path("work/deep/deeper")).unwrap();
    for shell in installed() {
        let enter =
            || lines(&product, shell, &format!("cd work/deep/deeper\n{}\necho \"<$(printenv AWS_PROFILE)>\"", HOOK));
        fs::write(product.path("work/.tegata"), "dev\n").unwrap();
        assert_eq!(product.run(&["trust", "work"]).code, 0);
        assert_eq!(enter().stdout, "<dev>\n");
        fs::write(product.path("work/.tegata"), "admin\n").unwrap();
        let changed = enter();
        assert_eq!(changed.stdout, "<>\n", "{changed:?}");
        assert!(changed.stderr.contains("names the profile admin; to use it here run: tg --trust"), "{changed:?}");
        assert_eq!(product.run(&["trust", "--refuse", "work"]).code, 0);
        let refused = enter();
        assert_eq!((refused.stdout.as_str(), refused.stderr.as_str()), ("<>\n", ""));
    }
    let listed = product.run(&["trust", "--list"]);
    assert!(listed.stdout.contains("refused  admin"), "{listed:?}");
}

#[test]
fn leaving_the_directory_brings_back_what_was_before() {
    let product = product();
    fs::create_dir_all(product.path("work")).unwrap();
    fs::write(product.path("work/.tegata"), "dev\n").unwrap();
    assert_eq!(product.run(&["trust", "work"]).code, 0);
    for shell in installed() {
        let go = |to: &str| format!("cd {to}\n{HOOK}\necho \"<$AWS_PROFILE>\"\n");
        let script = format!("tg plain\n{}{}{}tg admin\n{}", go("work"), go(".."), go("work"), go(".."));
        let ended = lines(&product, shell, &script);
        assert_eq!(ended.stdout, "<dev>\n<plain>\n<dev>\n<admin>\n", "{} {ended:?}", shell.name);
    }
}

#[test]
fn a_default_that_names_no_profile_of_the_config_is_not_used() {
    let product = product();
    fs::write(product.path(".tegata"), "nobody\n").unwrap();
    assert_eq!(product.run(&["trust"]).code, 0);
    let ended = product.run(&["shell-hook", "directory", "--shell", "bash", product.path(".tegata").to_str().unwrap()]);
    assert!(ended.stderr.contains("no profile \"nobody\"") && !ended.stdout.contains("AWS_PROFILE"), "{ended:?}");
}

#[test]
fn each_hook_that_was_there_still_runs_and_sees_the_status_it_saw_before() {
    let product = product();
    let bash = |before: &str| {
        let script = format!(
            "{before}\neval \"$(\"$TEGATA\" shell-init bash)\"\neval \"$(\"$TEGATA\" shell-init bash)\"\ndeclare -p PROMPT_COMMAND\n(exit 7)\nfor hook in \"${{PROMPT_COMMAND[@]}}\"; do eval \"$hook\"; done"
        );
        run(product.command("bash").env("TEGATA", program("tegata")).args(["--norc", "-c", &script])).stdout
    };
    let one = bash("PROMPT_COMMAND='echo status $?;'");
    assert!(one.contains("status 7") && one.matches("__tegata_hook").count() == 1, "{one}");
    let more = bash("PROMPT_COMMAND=('echo first' 'echo second')");
    assert!(more.contains("__tegata_hook") && more.ends_with("first\nsecond\n"), "{more}");
    assert!(bash("unset PROMPT_COMMAND; set -u").contains("__tegata_hook"), "none was there");
}

#[test]
fn nothing_is_said_where_tegata_is_gone() {
    let product = product();
    fs::create_dir_all(product.path("work")).unwrap();
    fs::write(product.path("work/.tegata"), "dev\n").unwrap();
    for shell in installed() {
        let copied = run(product.command("cp").arg(program("tegata")).arg(product.path("gone")));
        assert_eq!(copied.code, 0, "{copied:?}");
        let mut command = product.command(shell.name);
        let gone = product.path("gone");
        let init = shell.load.replace("shell-init", "shell-init --prompt");
        let script = format!("{init}\nrm {}\ncd work\n{HOOK}\n{HOOK}\necho end", gone.display());
        let ended = run(command.env("TEGATA", &gone).env("AWS_PROFILE", "dev").args(["-c", &script]));
        assert_eq!((ended.stdout.as_str(), ended.stderr.as_str()), ("end\n", ""), "{}", shell.name);
    }
}

#[test]
fn a_prompt_runs_one_program_and_without_a_segment_none() {
    let product = product();
    let counted = product.path("counted");
    let wrapper = format!(
        "#!/bin/bash\ncase \"$1\" in shell-init) ;; *) echo x >> {} ;; esac\nexec -a \"$0\" {} \"$@\"\n",
        counted.display(),
        program("tegata").display()
    );
    fs::write(product.path("wrapper.text"), wrapper).unwrap();
    // Written by another process: see `Product::never_start_a_daemon`.
    let script = format!("cp {0}.text {0} && chmod 755 {0}", product.path("wrapper").display());
    assert_eq!(run(product.command("sh").args(["-c", &script])).code, 0);
    for shell in installed() {
        for (options, runs) in [("", 0), (" --prompt", 3)] {
            let _ = fs::remove_file(&counted);
            let init = shell.load.replace("shell-init", &format!("shell-init{options}"));
            let mut command = product.command(shell.name);
            command.env("TEGATA", product.path("wrapper")).env("AWS_PROFILE", "dev");
            let ended = run(command.args(["-c", &format!("{init}\n{HOOK}\n{HOOK}\ncd /\n{HOOK}\n")]));
            assert_eq!((ended.code, ended.stderr.as_str()), (0, ""), "{ended:?}");
            let count = fs::read_to_string(&counted).unwrap_or_default().lines().count();
            assert_eq!(count, runs, "{}{options}", shell.name);
        }
    }
}
