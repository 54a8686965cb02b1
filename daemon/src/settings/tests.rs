use super::*;
use std::fs;
use std::os::unix::fs::PermissionsExt;

fn refused(text: &str) -> String {
    Settings::parse(text).unwrap_err().to_string()
}

#[test]
fn an_empty_file_says_the_same_as_none() {
    let settings = Settings::parse("").unwrap();
    assert_eq!(settings, Settings::default());
    assert_eq!(settings.store, StoreChoice::Auto);
    assert!(settings.notifications.enabled);
    let limits = settings.limits;
    assert_eq!((limits.connections.get(), limits.wait_seconds.get(), limits.audit_days.get()), (1024, 600, 90));
    assert_eq!(limits.hand_seconds.get(), 300);
}

#[test]
fn every_setting_is_read() {
    let settings = Settings::parse(
        "store = 'file'\n[file_store]\npassphrase_file = '/run/secrets/tegata'\n\
         [http]\nproxy = 'http://proxy.example:3128'\nno_proxy = ['.internal', '10.0.0.0/8']\nca_bundle = '/etc/ssl/corp.pem'\n\
         [endpoints]\nsso_oidc = 'http://127.0.0.1:7000'\nsso = 'https://portal.example/'\nsts = 'http://[::1]:7000'\n\
         use_fips = true\nuse_dual_stack = true\n\
         [limits]\nconnections = 16\nwait_seconds = 1\naudit_days = 3650\n[notifications]\nenabled = false\n",
    )
    .unwrap();
    assert_eq!(settings.store, StoreChoice::File);
    let Some(FileStore::PassphraseFile(path)) = &settings.file_store else { panic!("{settings:?}") };
    assert_eq!(path.as_path().to_str(), Some("/run/secrets/tegata"));
    assert_eq!(settings.http.proxy.as_ref().unwrap().expose_secret(), "http://proxy.example:3128");
    assert_eq!(settings.http.no_proxy.iter().map(HostPattern::as_str).collect::<Vec<_>>(), [".internal", "10.0.0.0/8"]);
    assert_eq!(settings.endpoints.sso.as_ref().unwrap().as_str(), "https://portal.example");
    assert!(settings.endpoints.use_fips && settings.endpoints.use_dual_stack && !settings.notifications.enabled);
    assert_eq!(settings.limits.connections.get(), 16);
}

#[test]
fn each_store_has_its_word() {
    for (word, store) in [
        ("auto", StoreChoice::Auto),
        ("secret-service", StoreChoice::SecretService),
        ("keyutils", StoreChoice::Keyutils),
        ("memory", StoreChoice::Memory),
    ] {
        assert_eq!(Settings::parse(&format!("store = '{word}'")).unwrap().store, store);
    }
    assert_eq!(refused("\nstore = 'keyutil'"), "line 2: Tegata does not know \"keyutil\"; nearest: keyutils");
    assert!(refused("store = 'vault'").ends_with("it reads auto, secret-service, keyutils, file, memory"));
}

#[test]
fn an_unknown_word_is_an_error_with_its_line_and_the_nearest() {
    assert_eq!(refused("[htp]\nproxy = 'x'\n"), "line 1: Tegata does not know \"htp\"; nearest: http");
    assert_eq!(refused("[http]\nprox = 'x'\n"), "line 2: Tegata does not know \"prox\"; nearest: proxy");
    assert_eq!(
        refused("[limits]\n\nwaitseconds = 1\n"),
        "line 3: Tegata does not know \"waitseconds\"; nearest: wait_seconds, hand_seconds"
    );
}

#[test]
fn words_of_later_versions_are_not_passed_over() {
    let message = refused("[[caller]]\n");
    assert!(message.contains("is read by later versions of Tegata only; this one cannot honour it"), "{message}");
    assert!(message.starts_with("line "), "{message}");
    assert!(refused("[http]\nprofile = 'x'\n").contains("does not know"));
}

#[test]
fn a_wrong_type_is_one_line_that_names_the_key() {
    let message = refused("[endpoints]\nuse_fips = 'yes'\n");
    assert!(message.starts_with("line 2: use_fips: ") && message.contains("boolean"), "{message}");
    assert_eq!(refused("http = 5\n"), "line 1: http: invalid type: integer `5`, expected a table");
    assert!(refused("[limits]\nconnections = 1.5\n").ends_with("expected a whole number"));
    assert!(refused("[http]\nno_proxy = 'a'\n").ends_with("expected a list in brackets"));
}

#[test]
fn a_list_is_no_table_even_where_its_values_would_fit() {
    for (text, key) in [
        ("endpoints = ['https://sso.example']\n", "endpoints"),
        ("endpoints = []\n", "endpoints"),
        ("rule = []\n", "rule"),
        (
            "profile.p = ['ann', {}, [], '{\"Statement\":[]}', [], 'Ticket', { github_actions = {} }, ['/bin/x'], 'keys', 90]\n",
            "profile.p",
        ),
    ] {
        assert_eq!(refused(text), format!("line 1: {key}: invalid type: a list, expected a table"), "{text}");
    }
    assert!(Settings::parse("rule = [['name', '111111111111']]\n").is_err());
    assert!(Settings::parse("endpoints = { use_fips = true }\nprofile.p = {}\n").is_ok());
}

#[test]
fn a_number_out_of_range_is_told_the_range() {
    assert_eq!(refused("[limits]\nwait_seconds = 601\n"), "line 2: wait_seconds: 601 is not from 1 to 600");
    assert_eq!(refused("[limits]\nhand_seconds = 301\n"), "line 2: hand_seconds: 301 is not from 5 to 300");
    assert_eq!(refused("[limits]\nconnections = -1\n"), "line 2: connections: -1 is not from 16 to 4096");
}

#[test]
fn text_that_is_no_toml_is_one_printable_line() {
    for text in ["[http", "store = ", "store = 'auto'\nstore = 'memory'\n", "a\u{1b}[2J = 1", "= 1", "\u{202e} = 1"] {
        let message = refused(text);
        assert!(message.starts_with("line ") && !message.contains(['\n', '\u{1b}', '\u{202e}']), "{message:?}");
    }
}

#[test]
fn an_endpoint_is_https_or_on_this_machine() {
    for bad in [
        "http://sso.evil.test",
        "ftp://127.0.0.1",
        "https://u:p@h",
        "https://h/?q",
        "https://h/#f",
        "127.0.0.1:80",
        "http://127.0.0.1.evil.test",
        "https://a b",
        "",
    ] {
        assert!(refused(&format!("[endpoints]\nsso = '{bad}'\n")).starts_with("line 2: sso: an endpoint is"), "{bad}");
    }
}

#[test]
fn a_proxy_s_password_is_never_shown() {
    let settings = Settings::parse("[http]\nproxy = 'http://me:CANARY@proxy:3128'\n").unwrap();
    let proxy = settings.http.proxy.clone().unwrap();
    assert_eq!(proxy.to_string(), "http://proxy:3128");
    assert!(!format!("{settings:?}{settings:#?}").contains("CANARY"));
    for bad in ["socks5://me:CANARY@proxy", "http://me:CANARY@proxy:3128/path", "http://me:CANARY@"] {
        let message = refused(&format!("[http]\nproxy = '{bad}'\n"));
        assert!(message.starts_with("line 2: proxy: a proxy is") && !message.contains("CANARY"), "{message}");
    }
}

#[test]
fn paths_are_absolute_and_credential_names_are_file_names() {
    assert!(refused("[http]\nca_bundle = '~/corp.pem'\n").contains("has to be absolute"));
    for bad in ["../x", "a/b", "..", "", "a b"] {
        assert!(refused(&format!("[file_store]\nsystemd_credential = '{bad}'\n")).contains("is a file name"), "{bad}");
    }
}

#[test]
fn a_file_store_has_exactly_one_key_and_no_other_store_has_one() {
    assert!(refused("store = 'file'\n").contains("needs [file_store]"));
    assert!(refused("store = 'file'\n[file_store]\n").contains("one of the two"));
    let both = "store = 'file'\n[file_store]\npassphrase_file = '/p'\nsystemd_credential = 'c'\n";
    assert!(refused(both).contains("one of the two"));
    assert!(refused("[file_store]\nsystemd_credential = 'c'\n").contains("read with store = \"file\" only"));
    let good = "store = 'file'\n[file_store]\nsystemd_credential = 'tegata'\n";
    assert!(matches!(Settings::parse(good).unwrap().file_store, Some(FileStore::SystemdCredential(_))));
}

#[test]
fn a_file_is_read_and_a_missing_one_says_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("config.toml");
    assert_eq!(load(&path).unwrap(), Settings::default());
    fs::write(&path, "store = 'memory'\n").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    assert_eq!(load(&path).unwrap().store, StoreChoice::Memory);
    fs::write(&path, "stor = 'memory'\n").unwrap();
    let expected = format!("{}: line 1: Tegata does not know \"stor\"; nearest: store", path.display());
    assert_eq!(load(&path).unwrap_err().to_string(), expected);
}

#[test]
fn a_file_that_others_can_write_is_not_believed() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("config.toml");
    fs::write(&path, "store = 'memory'\n").unwrap();
    for mode in [0o620, 0o602] {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        assert!(load(&path).unwrap_err().to_string().contains("chmod go-w"), "{mode:o}");
    }
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    assert!(load(&path).unwrap_err().to_string().ends_with("is a directory, not a file"));
}

#[test]
fn a_file_that_the_settings_name_is_read_and_held_against_the_same() {
    let dir = tempfile::tempdir().unwrap();
    let (path, policy) = (dir.path().join("config.toml"), dir.path().join("policy.json"));
    let text = format!("[profile.p]\nsession_policy = '{}'\n", policy.display());
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    let refused = || load(&path).unwrap_err().to_string();
    let begin = format!("{}: [profile.p]: session_policy {}: ", path.display(), policy.display());
    assert_eq!(refused(), format!("{begin}no such file"));
    fs::write(&policy, "{\"Statement\":[]}").unwrap();
    fs::set_permissions(&policy, fs::Permissions::from_mode(0o606)).unwrap();
    assert!(refused().starts_with(&format!("{begin}can be written by others")));
    fs::set_permissions(&policy, fs::Permissions::from_mode(0o604)).unwrap();
    let settings = load(&path).unwrap();
    let extras = settings.extras(&ProfileName::new("p").unwrap()).unwrap();
    assert_eq!(extras.session_policy.as_ref().unwrap().as_str(), "{\"Statement\":[]}");
    assert_eq!(settings.extras(&ProfileName::new("other").unwrap()), None);
    fs::write(&policy, "x".repeat(64 * 1024 + 1)).unwrap();
    assert!(refused().ends_with("larger than the 64 KiB that are read"));
}

#[test]
fn h1_a_profile_s_table_has_a_profile_s_name() {
    assert!(refused("[profile.'']\n").contains("the profile name is empty"));
    assert!(refused("[profile.\"a\\u001bb\"]\n").contains("the profile name holds the character"));
}

#[test]
fn a_helper_is_needed_where_a_command_is_named_and_nowhere_else() {
    let needs = |lines: &str| Settings::parse(&format!("[profile.p]\n{lines}\n")).unwrap().needs_helper();
    assert!(needs("totp_command = ['/usr/bin/ykman']") && needs("web_identity = { command = ['/usr/bin/token'] }"));
    assert!(!needs("") && !needs("web_identity = { github_actions = {} }"));
    assert!(!Settings::default().needs_helper());
}
