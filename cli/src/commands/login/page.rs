//! What a person reads while signing in. Texts only.

use crate::browser::Browser;
use crate::environment::Distance;
use crate::failure::{Failure, Kind};
use crate::moment;
use crate::output::Style;
use qrcodegen::{QrCode, QrCodeEcc};
use tegata_protocol::body::{Session, SignIn, SignInFlow};
use tegata_protocol::text::one_line;

/// How many modules of margin a QR code has on each side.
const QUIET_ZONE: i32 = 4;

/// How the page gets to the person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Showing {
    /// A browser opens it.
    Open(Browser),
    /// Its address alone goes to standard output.
    Print,
    /// Its address goes to standard output as a QR code.
    Qr,
    /// The person is told its address.
    Tell,
}

/// The page of a sign-in, fit to be shown and opened.
pub(super) struct Page<'a> {
    sign_in: &'a SignIn,
}

impl<'a> Page<'a> {
    /// Takes the page of a sign-in if it is a web page: whatever else an address can mean is not opened.
    pub(super) fn new(sign_in: &'a SignIn) -> Result<Self, Failure> {
        let url = &sign_in.url;
        let loopback = ["http://127.0.0.1", "http://localhost", "http://[::1]"].iter().any(|start| {
            url.strip_prefix(start).is_some_and(|rest| rest.is_empty() || rest.starts_with([':', '/', '?']))
        });
        let host_begins_well = url.strip_prefix("https://").is_some_and(|rest| rest.starts_with(char::is_alphanumeric));
        if !url.bytes().all(|byte| byte.is_ascii_graphic()) || !(loopback || host_begins_well) {
            let message = format!("tegatad named a page that is not a web page: {url}");
            return Err(Failure::new(Kind::Unreachable, message).mend("tegata daemon stop"));
        }
        Ok(Self { sign_in })
    }

    pub(super) fn url(&self) -> &str {
        &self.sign_in.url
    }

    /// Names who asks for the sign-in, before anything else.
    pub(super) fn introduction(&self) -> String {
        let (session, start_url) = (one_line(&self.sign_in.session), one_line(&self.sign_in.start_url));
        match self.sign_in.flow {
            SignInFlow::Pkce => format!("Signing in to {session} ({start_url})."),
            SignInFlow::Console => format!("Signing in to the AWS console for profile {session} ({start_url})."),
            SignInFlow::ConsoleRemote => format!(
                "Signing in to the AWS console for profile {session} ({start_url}), with a browser elsewhere.\n\
                 Go on only if you began this yourself: whoever gets the text that the page shows signs in as you."
            ),
            SignInFlow::DeviceCode => format!(
                "Signing in to {session} ({start_url}) with a device code.\n\
                 Go on only if you began this yourself: whoever sends you a code signs in as you."
            ),
            SignInFlow::MfaCode => format!("Signing in to {session}."),
        }
    }

    /// Says what to do.
    pub(super) fn instruction(&self, showing: &Showing, opened: bool, style: Style) -> String {
        let url = self.url();
        if self.sign_in.flow == SignInFlow::ConsoleRemote {
            let page = if *showing == Showing::Print { String::new() } else { format!(":\n\n    {url}\n\n") };
            return format!(
                "Open the page in any browser{page}{}Paste here the text that it shows in the end.",
                if page.is_empty() { ". " } else { "" }
            );
        }
        match (&self.sign_in.user_code, showing) {
            (None, Showing::Open(_)) if opened => format!("If no page opens: {url}"),
            (None, Showing::Print) => "Open the page in a browser on this machine.".to_owned(),
            (None, _) => format!("Open this page in a browser on this machine: {url}"),
            (Some(code), showing) => {
                let code = style.strong(&one_line(code));
                let page = if *showing == Showing::Print { String::new() } else { format!("    {url}\n\n") };
                format!(
                    "Open the page in any browser and enter this code:\n\n{page}    {code}\n\n\
                     The page must show this code; if it shows another, close it."
                )
            }
        }
    }

    /// Names the way that works from anywhere, where this one may not.
    pub(super) fn hint(&self, distance: Distance, again: &str) -> Option<String> {
        let way = match self.sign_in.flow {
            SignInFlow::DeviceCode | SignInFlow::ConsoleRemote | SignInFlow::MfaCode => return None,
            SignInFlow::Pkce => "--device-code",
            SignInFlow::Console => "--remote",
        };
        let place = match distance {
            Distance::Ssh => "This is an SSH session",
            Distance::Container => "This is a container",
            Distance::Wsl => "This is WSL",
            Distance::NoDisplay => "This machine has no display",
        };
        Some(format!("{place}: if the page cannot be finished here, use: {} {way}", one_line(again)))
    }

    /// Returns the address as a QR code.
    pub(super) fn qr(&self, style: Style) -> Result<String, Failure> {
        let code = QrCode::encode_text(self.url(), QrCodeEcc::Low)
            .map_err(|error| Failure::new(Kind::Failed, format!("the page does not fit a QR code: {error}")))?;
        Ok(half_blocks(&code).iter().map(|line| style.on_paper(line)).collect::<Vec<_>>().join("\n"))
    }
}

/// Draws a code and the margin that readers need around it (ISO/IEC 18004, "Quiet zone"), two rows of modules a line.
fn half_blocks(code: &QrCode) -> Vec<String> {
    let extent = -QUIET_ZONE..code.size() + QUIET_ZONE;
    let block = |x: i32, y: i32| match (code.get_module(x, y), code.get_module(x, y + 1)) {
        (true, true) => '█',
        (true, false) => '▀',
        (false, true) => '▄',
        (false, false) => ' ',
    };
    extent.clone().step_by(2).map(|y| extent.clone().map(|x| block(x, y)).collect()).collect()
}

/// Asks for the comparison of the code.
pub(super) fn question(code: &str) -> String {
    format!("Does the page show {}? [y/N] ", one_line(code))
}

/// Says what is waited for and how long.
pub(super) fn waiting(sign_in: &SignIn, now: i64) -> String {
    format!("Waiting for you to finish the page; it ends {}.", one_line(&moment::from_now(&sign_in.expires_at, now)))
}

/// Says that it worked and how long it lasts.
pub(super) fn success(sign_in: &SignIn, session: Option<&Session>, now: i64) -> String {
    let done = format!("Signed in to {} ({})", one_line(&sign_in.session), one_line(&sign_in.start_url));
    match session.and_then(|session| Some((session.expires_at.as_deref()?, session.renewable))) {
        None => format!("{done}."),
        Some((at, renewable)) => {
            let renewed = if renewable { ", renewed by itself" } else { "" };
            format!("{done} until {}{renewed}.", one_line(&moment::shown(at, now)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tegata_protocol::body::SignInState;

    fn sign_in(flow: SignInFlow, url: &str) -> SignIn {
        SignIn {
            id: "1".to_owned(),
            session: "corp".to_owned(),
            start_url: "https://acme.awsapps.com/start".to_owned(),
            flow,
            url: url.to_owned(),
            url_with_code: None,
            device: None,
            said: None,
            user_code: (flow == SignInFlow::DeviceCode).then(|| "ABCD-EFGH".to_owned()),
            expires_at: "2026-11-22T09:17:00Z".to_owned(),
            state: SignInState::Pending,
        }
    }

    #[test]
    fn only_web_pages_are_shown_and_opened() {
        for url in ["https://a.example/x?y=z#w", "http://127.0.0.1:80/x", "http://localhost/x", "http://[::1]:1/x"] {
            assert!(Page::new(&sign_in(SignInFlow::Pkce, url)).is_ok(), "{url}");
        }
        for url in [
            "",
            "file:///etc/passwd",
            "javascript:alert(1)",
            "vscode://x",
            "--version",
            "http://a.example/",
            "http://127.0.0.1.evil.example/",
            "http://localhost@evil.example/",
            "https://",
            "https://-x/",
            "https://a.example/\u{1b}[2J",
            "https://a.example/a b",
            "https://a.example/\u{202e}",
        ] {
            assert!(Page::new(&sign_in(SignInFlow::Pkce, url)).is_err(), "{url:?}");
        }
    }

    #[test]
    fn a_long_address_is_never_cut() {
        let url = format!("https://a.example/authorize?{}", "x".repeat(2_000));
        let sign_in = sign_in(SignInFlow::Pkce, &url);
        let page = Page::new(&sign_in).ok().unwrap();
        for (showing, opened) in [(Showing::Open(Browser::Desktop), true), (Showing::Tell, false)] {
            assert!(page.instruction(&showing, opened, STYLE).ends_with(&url));
        }
        assert!(page.qr(STYLE).is_ok());
    }

    #[test]
    fn a_qr_code_is_square_and_has_its_margin() {
        let lines = half_blocks(&QrCode::encode_text("https://a.example/", QrCodeEcc::Low).ok().unwrap());
        // Version 2 has 25 modules a side (ISO/IEC 18004, table 1).
        assert_eq!((lines.len(), lines[0].chars().count()), (17, 33));
        assert!(lines.iter().all(|line| line.starts_with("    ") && line.ends_with("    ")));
        assert!(
            lines[0].trim().is_empty() && lines[2].starts_with("    █▀▀▀▀▀█"),
            "the corner's pattern\n{}",
            lines.join("\n")
        );
    }

    #[test]
    fn g1_the_device_code_comes_with_a_warning_and_the_start_url() {
        let sign_in = sign_in(SignInFlow::DeviceCode, "https://device.example/");
        let page = Page::new(&sign_in).ok().unwrap();
        let introduction = page.introduction();
        assert!(introduction.contains("https://acme.awsapps.com/start") && introduction.contains("only if you began"));
        let instruction = page.instruction(&Showing::Tell, false, STYLE);
        assert!(instruction.contains("    ABCD-EFGH\n") && instruction.contains("if it shows another, close it"));
    }

    #[test]
    fn g1_twin_the_page_on_this_machine_needs_no_warning() {
        let sign_in = sign_in(SignInFlow::Pkce, "https://a.example/authorize");
        assert_eq!(
            Page::new(&sign_in).ok().unwrap().introduction(),
            "Signing in to corp (https://acme.awsapps.com/start)."
        );
    }

    #[test]
    fn every_distance_names_the_device_code_and_the_device_code_names_none() {
        for distance in [Distance::Ssh, Distance::Container, Distance::Wsl, Distance::NoDisplay] {
            let hint =
                |flow| Page { sign_in: &sign_in(flow, "https://a.example/") }.hint(distance, "tegata login corp");
            assert!(hint(SignInFlow::Pkce).unwrap().ends_with("tegata login corp --device-code"));
            assert!(hint(SignInFlow::Console).unwrap().ends_with("tegata login corp --remote"));
            assert_eq!((hint(SignInFlow::DeviceCode), hint(SignInFlow::ConsoleRemote)), (None, None));
        }
    }

    #[test]
    fn e11_hostile_names_are_shown_escaped() {
        let mut hostile = sign_in(SignInFlow::DeviceCode, "https://a.example/");
        for text in [&mut hostile.session, &mut hostile.start_url, &mut hostile.expires_at] {
            *text = "\u{1b}]52;c;x\u{7}\u{202e}\r\u{9b}2J".to_owned();
        }
        hostile.user_code = Some("AB\u{1b}[2J".to_owned());
        let page = Page { sign_in: &hostile };
        let texts = [
            page.introduction(),
            page.instruction(&Showing::Tell, false, STYLE),
            question("AB\u{1b}[2J"),
            waiting(&hostile, 0),
            success(&hostile, None, 0),
        ];
        for text in texts {
            assert!(!text.chars().any(|c| c != '\n' && tegata_protocol::text::is_hostile(c)), "{text:?}");
        }
    }

    const STYLE: Style = Style::PLAIN;
}
