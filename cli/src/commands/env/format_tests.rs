use super::*;
use std::process::Command;

const GONE: [&str; 2] = ["AWS_PROFILE", "AWS_SECURITY_TOKEN"];

/// What a config file could hold as a region, to become a command in whoever reads our output.
const HOSTILE: [&str; 14] = [
    "plain",
    "",
    "it's",
    "';touch owned;'",
    "$(touch owned)`touch owned`",
    "\"; touch owned; \"",
    "a\nexport OWNED=1\nb",
    "a\r\nb",
    "\\",
    "\\'; touch owned; #",
    "a b\tc!d*?[x]~",
    "‘;touch owned;’",
    "%0A::set-env name=OWNED::1",
    "障害\u{202e}",
];

fn variables(value: &str) -> Variables<'_> {
    Variables { set: vec![("AWS_REGION", value), ("AWS_ACCESS_KEY_ID", "ASIAX")], gone: &GONE }
}

#[test]
fn each_format_is_as_its_reader_has_it() {
    let plain = variables("eu-west-1");
    assert_eq!(
        bash(&plain),
        "unset AWS_PROFILE AWS_SECURITY_TOKEN\nexport AWS_REGION='eu-west-1'\nexport AWS_ACCESS_KEY_ID='ASIAX'\n"
    );
    assert_eq!(
        fish(&plain),
        "set -e AWS_PROFILE AWS_SECURITY_TOKEN\nset -gx AWS_REGION 'eu-west-1'\nset -gx AWS_ACCESS_KEY_ID 'ASIAX'\n"
    );
    assert_eq!(
        powershell(&plain),
        "Remove-Item -ErrorAction SilentlyContinue Env:AWS_PROFILE,Env:AWS_SECURITY_TOKEN\n\
         $Env:AWS_REGION = 'eu-west-1'\n$Env:AWS_ACCESS_KEY_ID = 'ASIAX'\n"
    );
    assert_eq!(dotenv(&plain).unwrap(), "AWS_REGION=eu-west-1\nAWS_ACCESS_KEY_ID=ASIAX\n");
    assert_eq!(json(&plain), "{\"AWS_ACCESS_KEY_ID\":\"ASIAX\",\"AWS_REGION\":\"eu-west-1\"}\n");
    assert_eq!(github_masks(&plain), "::add-mask::ASIAX\n");
    assert_eq!(github_variables(&plain, "e"), "AWS_REGION<<e\neu-west-1\ne\nAWS_ACCESS_KEY_ID<<e\nASIAX\ne\n");
}

#[test]
fn h1_a_posix_shell_gets_every_hostile_value_back_and_runs_nothing() {
    for shell in ["sh", "bash"] {
        for value in HOSTILE {
            let place = tempfile::tempdir().unwrap();
            let script =
                format!("{}printf %s \"$AWS_REGION\"; printf %s \"$AWS_PROFILE$OWNED\"", bash(&variables(value)));
            let mut command = Command::new(shell);
            command.args(["-c", &script]).env("AWS_PROFILE", "in the way").current_dir(place.path());
            let output = command.output().unwrap();
            assert_eq!(String::from_utf8(output.stdout).unwrap(), value, "{shell}");
            assert_eq!(std::fs::read_dir(place.path()).unwrap().count(), 0, "{shell}: {value:?} ran a command");
        }
    }
}

/// Reads fish's single quotes back as its documentation says.
fn unquoted_by_fish(quoted: &str) -> Option<String> {
    let mut inner = quoted.strip_prefix('\'')?.strip_suffix('\'')?.chars();
    let mut value = String::new();
    while let Some(c) = inner.next() {
        match c {
            '\'' => return None,
            '\\' => value.push(inner.next().filter(|c| "\\'".contains(*c))?),
            c => value.push(c),
        }
    }
    Some(value)
}

#[test]
fn h1_fish_and_powershell_get_every_hostile_value_back() {
    for value in HOSTILE {
        let text = fish(&variables(value));
        let quoted = text.split_once("AWS_REGION ").unwrap().1.split_once("\nset -gx AWS_ACCESS").unwrap().0;
        assert_eq!(unquoted_by_fish(quoted).as_deref(), Some(value), "{quoted}");
        let text = powershell(&variables(value));
        let quoted = text.split_once("AWS_REGION = '").unwrap().1.split_once("'\n$Env:AWS_ACCESS").unwrap().0;
        let mut rest = quoted.to_owned();
        for quote in ['\'', '\u{2018}', '\u{2019}', '\u{201a}', '\u{201b}'] {
            assert_eq!(rest.matches(quote).count() % 2, 0, "{quoted}");
            rest = rest.replace(&quote.to_string().repeat(2), &quote.to_string());
        }
        assert_eq!(rest, value);
    }
}

#[test]
fn h1_dotenv_refuses_what_readers_understand_differently() {
    for value in HOSTILE {
        match value {
            "plain" | "" => assert!(dotenv(&variables(value)).is_ok()),
            _ => assert_eq!(dotenv(&variables(value)), Err(CannotWrite("AWS_REGION")), "{value:?}"),
        }
    }
    assert!(dotenv(&variables("AbC+/=09")).is_ok(), "what secrets are made of");
}

#[test]
fn h1_json_and_the_file_of_a_workflow_give_every_hostile_value_back() {
    for value in HOSTILE {
        let read: Value = serde_json::from_str(&json(&variables(value))).unwrap();
        assert_eq!(read["AWS_REGION"], value);
        let text = github_variables(&variables(value), "0123abcd");
        let inner = text.strip_prefix("AWS_REGION<<0123abcd\n").unwrap().split_once("\n0123abcd\n").unwrap().0;
        assert_eq!(inner, value);
    }
    let hostile = Variables { set: vec![("AWS_SESSION_TOKEN", "a%\nb\r")], gone: &GONE };
    assert_eq!(github_masks(&hostile), "::add-mask::a%25%0Ab%0D\n");
}
