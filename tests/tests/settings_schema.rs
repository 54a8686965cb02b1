//! The schema that editors read against the daemon: what the one takes, the other takes, and a slip is seen by both. Judged by
//! `jsonschema_rs`, a validator that Tegata does not know, and by taplo, which editors are made of.
#![cfg(feature = "system")]

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use tegata_daemon::settings::Settings;
use tegata_tests::client;
use toml::{Table, Value};

/// Settings in which everything is said that the documents' own samples do not say.
const EVERYTHING: [&str; 3] = [
    "store = 'keyutils'\n[http]\nproxy = 'http://me:word@proxy.example:3128'\nno_proxy = ['.internal', '10.0.0.0/8', '[::1]']\n\
     ca_bundle = '/etc/ssl/corp.pem'\n[endpoints]\nsso_oidc = 'http://127.0.0.1:7000'\nsso = 'https://portal.example/'\n\
     sts = 'http://[::1]:7000'\nuse_fips = true\nuse_dual_stack = false\n[limits]\nconnections = 16\nwait_seconds = 600\n\
     audit_days = 3650\n[notifications]\nenabled = false\n",
    "store = 'file'\n[file_store]\nsystemd_credential = 'tegata.key'\n\
     [profile.prod]\nsource_identity = 'ann@example.com'\nreason_tag = ''\ntransitive_tags = ['Team']\n\
     policy_arns = ['arn:aws:iam::aws:policy/ReadOnlyAccess']\nsession_policy = ' {\"Statement\": []}'\n\
     [profile.prod.session_tags]\nTeam = '基盤 SRE'\n[profile.\"a b\"]\n",
    "[[rule]]\nname = 'all of it'\naccount = ['1111????????', '*']\nrole = ['arn:aws:iam::*:role/x/*', 'Admin*']\n\
     session = 'corp'\nsource = ['sign-in']\nprofile = 'prod-*'\ngate = 'passkey'\nwindow = '1h 30m'\nuses = 10000\n\
     scope = 'request'\nreason = 'required'\napprovals = 2\nhours = '22:00-06:00'\ndays = ['Mon-Fri', 'Sun']\n\
     time_zone = 'Asia/Tokyo'\ndevice_bound = true\nsession_policy = '{\"Statement\": {}}'\nalert = true\nreview = false\n\
     [[rule]]\nrole = 'Emergency'\ntemplate = 'break-glass'\nreason = { pattern = 'INC-[0-9]+' }\n\
     [[rule]]\naccount = '333333333333'\ngate = 'none'\n",
];

fn docs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs")
}

/// The settings that the documents show.
fn shown() -> Vec<String> {
    let mut found = vec![fs::read_to_string(docs().join("policy-example.toml")).unwrap()];
    for document in ["settings.md", "break-glass.md"] {
        let text = fs::read_to_string(docs().join(document)).unwrap();
        found.extend(text.split("```toml\n").skip(1).map(|rest| rest.split_once("```").unwrap().0.to_owned()));
    }
    assert!(found.len() >= 4, "{found:?}");
    found
}

fn samples() -> Vec<Table> {
    let shown = shown();
    let all = EVERYTHING.into_iter().chain(shown.iter().map(String::as_str));
    all.map(|text| text.parse().unwrap_or_else(|error| panic!("{error}:\n{text}"))).collect()
}

/// What the validator says of each: nothing, or what is wrong.
fn judged(schema: &str, settings: &[Table]) -> Vec<String> {
    let mut command = Command::new(client("python/bin/python"));
    command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("clients/settings_schema.py"));
    command.arg(docs().join("api").join(schema)).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut running = command.spawn().unwrap();
    let mut input = running.stdin.take().unwrap();
    let lines: String = settings.iter().map(|one| serde_json::to_string(one).unwrap() + "\n").collect();
    let writer = std::thread::spawn(move || input.write_all(lines.as_bytes()).unwrap());
    let output = running.wait_with_output().unwrap();
    writer.join().unwrap();
    assert!(output.status.success());
    let verdicts: Vec<_> = String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect();
    assert_eq!(verdicts.len(), settings.len());
    verdicts
}

/// Returns settings with one slip each, made at every place: a key that nobody knows, and values that no setting has.
fn slips(settings: &Table) -> Vec<Table> {
    let mut all = Vec::new();
    for path in paths(&Value::Table(settings.clone())) {
        let mut with = |change: &dyn Fn(&mut Table, &str)| {
            let mut slip = settings.clone();
            let (key, above) = path.split_last().unwrap();
            if let Some(Value::Table(table)) = at(&mut slip, above) {
                change(table, key);
                all.push(slip);
            } else if above.is_empty() {
                change(&mut slip, key);
                all.push(slip);
            }
        };
        with(&|table, key| {
            let value = table.remove(key).unwrap();
            table.insert(format!("{key}x"), value);
        });
        for foreign in [Value::Integer(1 << 40), Value::Boolean(true), Value::Float(0.5), Value::Array(vec![])] {
            with(&|table, key| drop(table.insert(key.to_owned(), foreign.clone())));
        }
        with(&|table, key| drop(table.insert(key.to_owned(), Table::from_iter([("x".into(), 1.into())]).into())));
    }
    all
}

/// Where every key of a value is.
fn paths(value: &Value) -> Vec<Vec<String>> {
    let below = |key: String, value: &Value| {
        let deeper = paths(value).into_iter().map(|path| [vec![key.clone()], path].concat());
        deeper.collect::<Vec<_>>()
    };
    match value {
        Value::Table(table) => {
            let one = |(key, value): (&String, &Value)| [vec![vec![key.clone()]], below(key.clone(), value)].concat();
            table.iter().flat_map(one).collect()
        }
        Value::Array(list) => list.iter().enumerate().flat_map(|(at, value)| below(at.to_string(), value)).collect(),
        _ => vec![],
    }
}

fn at<'a>(table: &'a mut Table, path: &[String]) -> Option<&'a mut Value> {
    let (first, rest) = path.split_first()?;
    rest.iter().try_fold(table.get_mut(first)?, |value, key| match value {
        Value::Array(list) => list.get_mut(key.parse::<usize>().ok()?),
        other => other.get_mut(key.as_str()),
    })
}

/// Whether the daemon takes settings, and what it says.
fn daemon(settings: &Table) -> Result<(), String> {
    Settings::parse(&toml::to_string(settings).unwrap()).map(drop).map_err(|error| error.to_string())
}

#[test]
fn what_the_documents_show_is_taken_by_both() {
    let samples = samples();
    for (sample, wrong) in samples.iter().zip(judged("settings.schema.json", &samples)) {
        assert_eq!((daemon(sample), wrong.as_str()), (Ok(()), ""), "{sample}");
    }
}

#[test]
fn a_slip_is_refused_by_both() {
    let all: Vec<_> = samples().iter().flat_map(slips).collect();
    let (mut refused, mut judgements) = (0, judged("settings.schema.json", &all).into_iter());
    for slip in &all {
        let (said, wrong) = (daemon(slip), judgements.next().unwrap());
        // Names of profiles and tags are the person's own; what keys say together, the daemon alone knows.
        let only_the_daemon_can_know = [
            "transitive_tags names",
            "matches nothing",
            "says nothing; gate",
            "needs account or role",
            "there are two rules",
            "need a time zone",
            "time_zone is read with",
            "needs [file_store]",
        ];
        match &said {
            Ok(()) => assert_eq!(wrong, "", "the daemon takes it:\n{slip}"),
            Err(said) if only_the_daemon_can_know.iter().any(|one| said.contains(one)) => {}
            Err(said) => assert_ne!(wrong, "", "the daemon says {said}:\n{slip}"),
        }
        refused += usize::from(said.is_err() && !wrong.is_empty());
    }
    assert!(refused > 300, "{refused} of {}", all.len());
}

#[test]
fn the_organisation_s_file_can_only_tighten_for_editors_too() {
    let rules = |text: &str| text.parse::<Table>().unwrap();
    let files = [
        rules("[[rule]]\nrole = 'Admin'\ngate = 'passkey'\n"),
        rules("[[rule]]\nrole = 'Admin'\nwindow = '5m'\n"),
        rules("[[rule]]\nrole = 'Admin'\ngate = 'none'\n"),
        rules("[[rule]]\nrole = 'Admin'\nwindows = '5m'\n"),
        rules("store = 'auto'\n"),
    ];
    let verdicts = judged("policy.schema.json", &files);
    assert!(verdicts[..2].iter().all(String::is_empty), "{verdicts:?}");
    assert!(verdicts[2..].iter().all(|wrong| !wrong.is_empty()), "{verdicts:?}");
}

#[test]
fn an_editor_finds_the_schema_by_the_first_line_and_marks_a_slip() {
    let directory = tempfile::tempdir().unwrap();
    let schema = directory.path().join("settings.schema.json");
    fs::copy(docs().join("api/settings.schema.json"), &schema).unwrap();
    let lint = |name: &str, text: &str| {
        let file = directory.path().join(name);
        fs::write(&file, format!("#:schema ./settings.schema.json\n{text}")).unwrap();
        let mut taplo = Command::new(client("python/bin/taplo"));
        let output = taplo.args(["lint", "--colors", "never"]).arg(&file).current_dir(&directory).output().unwrap();
        (output.status.success(), String::from_utf8(output.stderr).unwrap())
    };
    for (number, text) in EVERYTHING.into_iter().map(str::to_owned).chain(shown()).enumerate() {
        let (good, said) = lint(&format!("{number}.toml"), &text.replace("#:schema ", "# "));
        assert!(good, "{said}\n{text}");
    }
    for (text, wrong) in [
        ("[limits]\nconnectons = 20\n", "'connectons' was unexpected"),
        ("[limits]\nconnections = 15\n", "15 is less than the minimum of 16"),
        ("store = 'vault'\n", "\"vault\" is not valid"),
    ] {
        let (good, said) = lint("slip.toml", text);
        assert!(!good && said.contains(wrong), "{text}\n{said}");
    }
}
