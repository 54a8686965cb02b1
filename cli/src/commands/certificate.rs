//! `tegata certificate`: the certificates with which this machine gets roles from IAM Roles Anywhere: how they stand, keeping one in
//! the keyring, forgetting it.

use super::config_file;
use crate::client::{self, BRIEFLY, Client, Target, below};
use crate::environment::{self, Environment};
use crate::failure::{Failure, Kind};
use crate::moment;
use crate::output::{self, Progress};
use crate::question;
use crate::signals::Signals;
use clap::{Args, Subcommand};
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use tegata_protocol::certificates::{
    Certificate as Stands, CertificateState, Certificates, ForgottenCertificate, ImportCertificate,
};
use tegata_protocol::{Secret, paths, text::one_line};
use zeroize::Zeroizing;

/// More than any certificate or key has; what the daemon reads in one request is less than two of it.
const LONGEST: u64 = 48 * 1024;

/// Certificates for IAM Roles Anywhere: list them, keep one in the keyring, forget it.
#[derive(Subcommand)]
pub(crate) enum Certificate {
    List(List),
    Import(Import),
    Remove(Remove),
}

/// List the certificates of profiles that start from one, and when they end.
#[derive(Args)]
#[command(after_help = "\
Examples:
  tegata certificate list
  tegata certificate list --json | jq -r '.certificates[] | select(.state != \"valid\").profile'")]
pub(crate) struct List {
    /// Print what the daemon says, as JSON
    #[arg(long)]
    json: bool,
}

/// Keep a certificate and its key in the keyring, so that no key lies in a file.
///
/// AWS gives a session for it first: what is kept is known to work. It then serves every profile that goes by the same trust anchor
/// and Roles Anywhere profile and says tegata_certificate = keyring and tegata_private_key = keyring. An encrypted key is opened with
/// its passphrase, once, here.
#[derive(Args)]
#[command(after_help = "\
Examples:
  tegata certificate import ci --certificate laptop.pem --key laptop.key
  tegata certificate import ci --certificate laptop.pem --intermediates devices.pem --key laptop.key")]
pub(crate) struct Import {
    /// A profile that gets its role with the certificate; AWS is asked with it
    profile: String,
    /// The certificate (PEM); intermediates may follow it
    #[arg(long, value_name = "FILE")]
    certificate: PathBuf,
    /// The certificates between it and the trust anchor, where they are in a file of their own
    #[arg(long, value_name = "FILE")]
    intermediates: Option<PathBuf>,
    /// The private key (PEM): PKCS #8, PKCS #1 or SEC 1, encrypted or not
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
}

/// Forget the certificate that is kept for a profile. Its files, if there are any, stay.
#[derive(Args)]
#[command(after_help = "\
Example:
  tegata certificate remove ci")]
pub(crate) struct Remove {
    /// A profile that gets its role with it
    profile: String,
}

impl Certificate {
    pub(crate) fn run(self, environment: &Environment) -> Result<(), Failure> {
        match self {
            Self::List(command) => command.run(environment),
            Self::Import(command) => command.run(environment),
            Self::Remove(command) => command.run(environment),
        }
    }
}

impl List {
    fn run(&self, environment: &Environment) -> Result<(), Failure> {
        let client = Client::new(environment)?;
        let target = Target::new(paths::CERTIFICATES).with_config(environment);
        let progress = Progress::begin("looking at the certificates");
        let listed: serde_json::Value = client.get(target.as_str(), BRIEFLY)?;
        drop(progress);
        if self.json {
            return output::say(&output::pretty(&listed));
        }
        let Certificates { certificates, left_out } = client::understood(listed)?;
        if certificates.is_empty() {
            return output::say("No profile starts from a certificate.");
        }
        let mut page = table(&certificates, environment::now());
        if left_out > 0 {
            page.push_str(&format!("\nand {left_out} more"));
        }
        output::say(&page)
    }
}

impl Import {
    fn run(self, environment: &Environment) -> Result<(), Failure> {
        let signals = Signals::catch()?;
        let mut certificate = read(&self.certificate)?;
        if let Some(intermediates) = &self.intermediates {
            certificate.push('\n');
            certificate.push_str(&read(intermediates)?);
        }
        let key = read(&self.key)?;
        let passphrase = passphrase(&key, &self.key, &signals)?;
        let import = ImportCertificate {
            profile: self.profile,
            config: config_file(environment)?,
            certificate: certificate.to_string(),
            private_key: Secret::new(key.to_string()),
            passphrase,
        };
        let client = Client::new(environment)?.ended_by(&signals);
        let progress = Progress::begin("asking AWS for a session with it");
        let kept: Stands = client.post(paths::CERTIFICATES, &import)?;
        drop(progress);
        output::say(&imported(&kept, &self.key, environment::now()))
    }
}

impl Remove {
    fn run(self, environment: &Environment) -> Result<(), Failure> {
        let client = Client::new(environment)?;
        let target = Target::new(below(paths::CERTIFICATES, &self.profile)).with_config(environment);
        let ForgottenCertificate { profile, was_kept } = client.delete(target.as_str())?;
        let profile = one_line(&profile);
        output::say(&match was_kept {
            true => format!(
                "Forgot the certificate that was kept for {profile}. What AWS issued for it lives on until it ends."
            ),
            false => format!("No certificate was kept for {profile}."),
        })
    }
}

/// Reads a PEM file, bounded. Wiped when dropped: it may hold a key.
fn read(path: &Path) -> Result<Zeroizing<String>, Failure> {
    let shown = path.display();
    let failed = |why: &dyn std::fmt::Display| Failure::new(Kind::Failed, format!("cannot read {shown}: {why}"));
    let metadata = fs::metadata(path).map_err(|error| failed(&error))?;
    if !metadata.is_file() {
        return Err(failed(&"it is no file"));
    }
    if metadata.len() > LONGEST {
        return Err(failed(&"it is longer than any certificate or key"));
    }
    // As long as it can become, so that reading never moves it and leaves an unwiped copy behind.
    let mut text = Zeroizing::new(String::with_capacity(usize::try_from(LONGEST).unwrap_or_default() + 1));
    let file = File::open(path).map_err(|error| failed(&error))?;
    file.take(LONGEST).read_to_string(&mut text).map_err(|error| failed(&error))?;
    Ok(text)
}

/// Asks what opens a key, where it says that it is encrypted.
fn passphrase(key: &str, path: &Path, signals: &Signals) -> Result<Option<Secret>, Failure> {
    if !key.contains("-----BEGIN ENCRYPTED PRIVATE KEY-----") {
        return Ok(None);
    }
    let shown = one_line(&path.display().to_string());
    if !question::somebody_is_there() {
        let message = format!("{shown} is encrypted, and there is no terminal to ask for its passphrase");
        return Err(Failure::new(Kind::Usage, message));
    }
    question::hidden(&format!("Passphrase of {shown}: "), signals).map(Some)
}

/// Says what was kept and what is left to do.
fn imported(kept: &Stands, key: &Path, now: i64) -> String {
    let name = one_line(kept.common_name.as_deref().unwrap_or("this machine"));
    let until = kept.ends_at.as_deref().map(|at| format!(", good until {}", moment::shown(&one_line(at), now)));
    let profile = one_line(&kept.profile);
    let mut text = format!("Kept in the keyring: the certificate of {name}{}.", until.unwrap_or_default());
    let elsewhere: Vec<&str> = [("tegata_certificate", &kept.place), ("tegata_private_key", &kept.key_place)]
        .into_iter()
        .filter(|(_, place)| *place != "keyring")
        .map(|(setting, _)| setting)
        .collect();
    if !elsewhere.is_empty() {
        let settings = elsewhere.iter().map(|setting| format!("{setting} = keyring")).collect::<Vec<_>>().join("\n  ");
        text.push_str(&format!("\nIt is used as soon as [profile {profile}] of the AWS config says:\n  {settings}"));
    }
    let file = shlex::try_quote(&key.to_string_lossy()).map(std::borrow::Cow::into_owned).unwrap_or_default();
    text.push_str(&format!(
        "\nThe key still lies in its file. Once no other program needs it: rm -- {}",
        one_line(&file)
    ));
    text
}

/// Returns the certificates as a table, and below it what is wrong with them.
pub(super) fn table(certificates: &[Stands], now: i64) -> String {
    let rows = certificates.iter().map(|certificate| {
        let text = |text: &Option<String>| text.as_deref().map_or_else(|| "-".to_owned(), one_line);
        let until = certificate.ends_at.as_deref().map(|at| one_line(&moment::shown(at, now)));
        [
            one_line(&certificate.profile),
            text(&certificate.common_name),
            state(certificate.state).to_owned(),
            until.unwrap_or_else(|| "-".to_owned()),
            one_line(&certificate.place),
        ]
    });
    let table = output::table(["PROFILE", "CERTIFICATE OF", "STATE", "UNTIL", "WHERE"], rows);
    std::iter::once(table).chain(certificates.iter().filter_map(trouble)).collect::<Vec<_>>().join("\n")
}

/// Says what is wrong with a certificate, and what mends it.
pub(super) fn trouble(certificate: &Stands) -> Option<String> {
    let profile = one_line(&certificate.profile);
    let mend = renewal(certificate).map(|mend| format!("; run: {mend}")).unwrap_or_default();
    match certificate.state {
        CertificateState::Valid | CertificateState::Unknown => None,
        CertificateState::EndsSoon => {
            Some(format!("the certificate of {profile} ends soon; put a new one in its place{mend}"))
        }
        CertificateState::Ended => {
            Some(format!("the certificate of {profile} has ended; put a new one in its place{mend}"))
        }
        CertificateState::Unusable => {
            let problem = one_line(certificate.problem.as_deref().unwrap_or("it cannot be used"));
            Some(format!("{profile}: {problem}{mend}"))
        }
    }
}

/// Returns the command that mends what is wrong, or puts a new certificate in the place of an old one.
pub(super) fn renewal(certificate: &Stands) -> Option<String> {
    let import = || {
        let profile = shlex::try_quote(&certificate.profile).map(std::borrow::Cow::into_owned).unwrap_or_default();
        format!("tegata certificate import {} --certificate FILE --key FILE", one_line(&profile))
    };
    let mend = certificate.mend.as_deref().map(one_line);
    mend.or_else(|| (certificate.place == "keyring" && certificate.problem.is_none()).then(import))
}

fn state(state: CertificateState) -> &'static str {
    match state {
        CertificateState::Valid => "valid",
        CertificateState::EndsSoon => "ends soon",
        CertificateState::Ended => "ended",
        CertificateState::Unusable => "unusable",
        CertificateState::Unknown => "not read",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_795_338_478; // 2026-11-22T09:07:58Z

    fn stands(state: CertificateState) -> Stands {
        Stands {
            profile: "my ci".into(),
            place: "keyring".into(),
            key_place: "keyring".into(),
            state,
            common_name: Some("runner-7\u{1b}[2J".into()),
            serial: Some("5a11c307".into()),
            ends_at: Some("2026-11-29T09:07:58Z".into()),
            problem: None,
            mend: None,
        }
    }

    #[test]
    fn what_was_kept_says_what_is_left_to_do() {
        let text = imported(&stands(CertificateState::Valid), Path::new("/home/a/my key.pem"), NOW);
        assert!(
            text.starts_with("Kept in the keyring: the certificate of runner-7\\u{1b}[2J, good until 2026-11-29"),
            "{text}"
        );
        assert!(text.ends_with("rm -- '/home/a/my key.pem'") && !text.contains("tegata_certificate"), "{text}");
        let files = Stands { place: "/a".into(), key_place: "/b".into(), ..stands(CertificateState::Valid) };
        let text = imported(&files, Path::new("/b"), NOW);
        assert!(text.contains("[profile my ci] of the AWS config says:\n  tegata_certificate = keyring\n"), "{text}");
    }

    #[test]
    fn what_ends_or_cannot_be_used_names_the_mend() {
        let import = "run: tegata certificate import 'my ci' --certificate FILE --key FILE";
        for state in [CertificateState::EndsSoon, CertificateState::Ended] {
            assert!(trouble(&stands(state)).unwrap().ends_with(import));
        }
        assert_eq!(trouble(&stands(CertificateState::Valid)), None);
        let problem = Some("/k: the private key can be read by others (mode 0644)".to_owned());
        let mend = Some("chmod 600 /k".to_owned());
        let unusable = Stands { problem, mend, place: "/c".into(), ..stands(CertificateState::Unusable) };
        let said = trouble(&unusable).unwrap();
        assert_eq!(said, "my ci: /k: the private key can be read by others (mode 0644); run: chmod 600 /k");
        let file = Stands { place: "/c".into(), ..stands(CertificateState::EndsSoon) };
        assert!(trouble(&file).unwrap().ends_with("put a new one in its place"));
    }

    #[test]
    fn hostile_text_in_a_listing_is_escaped() {
        let hostile = Stands { place: "/a\u{202e}b\nc".into(), ..stands(CertificateState::Valid) };
        let page = table(&[hostile], NOW);
        assert!(page.lines().count() == 2 && !page.contains('\u{1b}') && !page.contains('\u{202e}'), "{page}");
    }
}
