use super::*;
use std::os::unix::fs::symlink;

const START_URL: &str = "https://d-1234567890.awsapps.com/start";

const TOKEN: &str = r#"{"startUrl":"https://d-1234567890.awsapps.com/start","region":"us-east-1","accessToken":"CANARY-access",
    "expiresAt":"2026-11-22T15:53:58.962Z","clientId":"client","clientSecret":"CANARY-client",
    "registrationExpiresAt":"2027-02-20T07:53:57Z","refreshToken":"CANARY-refresh","more":{"later":1}}"#;

struct Home {
    home: tempfile::TempDir,
    cache: Cache,
}

impl Home {
    fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        let cache = Cache::of(&Environment::of(&[("HOME", home.path().to_str().unwrap())])).unwrap();
        fs::create_dir_all(&cache.directory).unwrap();
        Self { home, cache }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.cache.directory.join(format!("{}.json", sha1_hex(name)))
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    fn find(&self) -> Result<Option<CachedSignIn>, Failure> {
        self.cache.find("corp", START_URL)
    }

    fn offer(&self) -> Result<AdoptSession, Failure> {
        self.find()?.unwrap().offer(&self.cache, "corp", None)
    }

    fn refusal(&self) -> String {
        let refusal = self.offer().unwrap_err().line().unwrap();
        assert!(!refusal.contains("CANARY") && refusal.ends_with("it is left as it is"), "{refusal}");
        refusal
    }
}

#[test]
fn files_have_the_names_that_aws_cli_gives_them() {
    assert_eq!(sha1_hex("corp"), "ee0bfd2552fbd840c02cc48b6e823320543c450f");
    let registration = sha1_hex(&registration_key(START_URL, "us-east-1", "corp"));
    assert_eq!(registration, "bc8a1afdb0f5cdc2c789b8a6cd51898e2be3c37c");
    assert_eq!(python_json("a\"開\u{1f600}"), r#""a\"\u958b\ud83d\ude00""#);
}

#[test]
fn a_sign_in_is_found_under_its_name_or_its_start_url() {
    let home = Home::new();
    assert!(home.find().unwrap().is_none());
    for name in ["corp", START_URL, &format!("{START_URL}/"), &format!("{START_URL}/#/")] {
        home.write(name, TOKEN);
        let offer = home.offer().unwrap();
        let renewal = offer.renewal.unwrap();
        assert_eq!(offer.access_token.expose_secret(), "CANARY-access", "{name}");
        assert_eq!((offer.expires_at.as_str(), offer.region.as_str()), ("2026-11-22T15:53:58Z", "us-east-1"));
        assert_eq!((renewal.refresh_token.expose_secret(), renewal.client_id.as_str()), ("CANARY-refresh", "client"));
        assert!(home.find().unwrap().unwrap().remove().unwrap());
        assert!(home.find().unwrap().is_none());
    }
}

#[test]
fn e3_a_sign_in_is_never_printed() {
    let home = Home::new();
    home.write("corp", TOKEN);
    let token = &home.find().unwrap().unwrap().token;
    assert!(!format!("{token:?}").contains("CANARY"), "{token:?}");
}

#[test]
fn h4_what_is_no_file_of_this_user_s_is_refused_and_left() {
    let home = Home::new();
    let elsewhere = home.home.path().join("elsewhere");
    fs::write(&elsewhere, TOKEN).unwrap();
    symlink(&elsewhere, home.path("corp")).unwrap();
    assert!(home.refusal().contains("symbolic link"));
    fs::remove_file(home.path("corp")).unwrap();
    rustix::fs::mknodat(rustix::fs::CWD, home.path("corp"), FileType::Fifo, Mode::RUSR, 0).unwrap();
    assert!(home.refusal().contains("is no file"));
    fs::remove_file(home.path("corp")).unwrap();
    fs::create_dir(home.path("corp")).unwrap();
    assert!(home.refusal().contains("is no file"));
}

#[test]
fn h4_garbage_and_too_much_is_refused_without_quoting_it() {
    let home = Home::new();
    let large = format!("{}{}", &TOKEN[..TOKEN.len() - 1], " ".repeat(10 * 1024 * 1024));
    for text in
        ["", "CANARY", "[]", "{}", "{\"accessToken\":\"CANARY\"}", "{\"accessToken\":[\"CANARY\"]}", "\u{0}\u{1b}"]
    {
        home.write("corp", text);
        assert!(home.refusal().contains("is no sign-in of AWS CLI (line "), "{text}");
    }
    home.write("corp", &large);
    assert!(home.refusal().contains("larger than the 32 KiB"));
    home.write("corp", &TOKEN.replace("15:53:58.962Z", "25:53:58Z"));
    assert!(home.refusal().contains("a time in expiresAt that is none"));
}

#[test]
fn h4_twin_a_file_of_this_user_s_is_read() {
    let home = Home::new();
    home.write("corp", TOKEN);
    assert!(home.offer().is_ok());
}

#[test]
fn a_sign_in_without_a_refresh_token_has_nothing_that_renews_it() {
    let home = Home::new();
    home.write("corp", &TOKEN.replace("refreshToken", "formerly"));
    assert!(home.offer().unwrap().renewal.is_none());
}

#[test]
fn a_client_in_a_file_of_its_own_is_found() {
    let home = Home::new();
    home.write("corp", &TOKEN.replace("clientSecret", "formerly"));
    assert!(home.refusal().contains("no client that it belongs to"));
    let registration =
        r#"{"clientId":"other","clientSecret":"CANARY-2","expiresAt":"2027-02-20T07:53:57Z","scopes":[]}"#;
    home.write(&registration_key(START_URL, "us-east-1", "corp"), registration);
    let renewal = home.offer().unwrap().renewal.unwrap();
    assert_eq!((renewal.client_id.as_str(), renewal.client_secret.expose_secret()), ("other", "CANARY-2"));
    home.write("another registration", &registration.replace("other", "client"));
    home.cache.forget_client("other");
    assert!(!home.path(&registration_key(START_URL, "us-east-1", "corp")).exists());
    home.cache.forget_client("client");
    assert!(!home.path("another registration").exists() && home.path("corp").exists(), "a sign-in is no registration");
}

#[test]
fn a_file_that_was_written_anew_meanwhile_is_left() {
    let home = Home::new();
    home.write("corp", TOKEN);
    let found = home.find().unwrap().unwrap();
    home.write("corp", &TOKEN.replace("CANARY-access", "CANARY-newer"));
    assert!(!found.remove().unwrap() && home.path("corp").exists());
    fs::remove_file(home.path("corp")).unwrap();
    assert!(found.remove().unwrap(), "who has removed it does not matter");
}

#[test]
fn times_of_every_tool_are_read_and_no_others() {
    for text in
        ["2026-11-22T15:53:58Z", "2026-11-22T15:53:58UTC", "2026-11-22T15:53:58.9Z", "2026-11-22T15:53:58.384371Z"]
    {
        assert_eq!(utc(text).as_deref(), Some("2026-11-22T15:53:58Z"), "{text}");
    }
    for text in [
        "",
        "Z",
        "2026-11-22T15:53:58",
        "2026-11-22T15:53:58.Z",
        "2026-11-22T15:53:58+01:00",
        "2026-11-22T15:53:58.-1Z",
    ] {
        assert_eq!(utc(text), None, "{text}");
    }
}
