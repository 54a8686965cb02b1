//! The browser flow and its callback.

use super::*;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use sha2::{Digest as _, Sha256};

#[tokio::test]
async fn g1_pkce_is_the_default_and_shows_no_user_code() {
    let aws = answering([]);
    let begun = begun(&aws, SignInFlow::default()).await.unwrap();
    assert!(begun.user_code.is_none() && begun.url_with_code.is_none());
    assert_eq!(begun.expires_at, SystemTime::UNIX_EPOCH + Duration::from_secs(600));
}

#[tokio::test]
async fn g1_twin_a_device_code_is_used_when_asked_for() {
    let aws = answering([]);
    let begun = begun(&aws, SignInFlow::DeviceCode).await.unwrap();
    assert_eq!(begun.user_code.as_deref(), Some("ABCD-EFGH"));
}

#[tokio::test]
async fn g2_the_callback_is_the_literal_loopback_address_on_a_port_of_its_own() {
    let (one, other) = (Browser::at_the_page().await, Browser::at_the_page().await);
    assert_eq!(parameter(&one.url, "redirect_uri"), format!("http://127.0.0.1:{}/oauth/callback", one.port));
    assert_ne!(one.port, other.port);
    assert!(TcpStream::connect(("::1", one.port)).await.is_err(), "nothing listens on the other loopback address");
}

/// Connects until nobody listens any more, for a minute at most.
async fn closes(port: u16) -> bool {
    let closed = async {
        while TcpStream::connect(("127.0.0.1", port)).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), closed).await.is_ok()
}

#[tokio::test]
async fn g2_the_port_closes_when_the_sign_in_is_cancelled() {
    let browser = Browser::at_the_page().await;
    browser.outcome.abort();
    assert!(closes(browser.port).await);
}

#[tokio::test]
async fn g2_the_port_closes_soon_after_the_answer() {
    let browser = Browser::at_the_page().await;
    browser.callback(&format!("code=c&state={}", browser.state)).await;
    assert!(browser.outcome.await.unwrap().is_ok());
    tokio::time::pause();
    assert!(closes(browser.port).await);
}

#[tokio::test(start_paused = true)]
async fn g2_an_unanswered_page_is_given_up_after_ten_minutes() {
    let start = tokio::time::Instant::now();
    let browser = Browser::at_the_page().await;
    assert_eq!(browser.outcome.await.unwrap().unwrap_err(), SignInError::TimedOut);
    assert_eq!(start.elapsed(), Duration::from_secs(600));
    assert!(closes(browser.port).await);
}

#[tokio::test]
async fn g2_twin_the_port_is_open_while_the_page_is() {
    let browser = Browser::at_the_page().await;
    assert!(TcpStream::connect(("127.0.0.1", browser.port)).await.is_ok());
}

#[tokio::test]
async fn g3_a_wrong_missing_or_duplicate_state_makes_no_token_call() {
    let browser = Browser::at_the_page().await;
    let state = browser.state.clone();
    let (shorter, longer, upper) = (&state[1..], format!("{state}A"), state.to_ascii_uppercase());
    for query in [
        String::from("code=c"),
        String::from("code=c&state="),
        String::from("code=c&state=wrong"),
        format!("code=c&state={shorter}"),
        format!("code=c&state={longer}"),
        format!("code=c&state={upper}"),
        format!("code=c&state={state}&state={state}"),
        format!("code=c&state=wrong&state={state}"),
        format!("code=c&State={state}"),
        String::from("error=access_denied&state=wrong"),
        String::from("error=access_denied"),
        String::new(),
    ] {
        assert_eq!(status(&browser.callback(&query).await), 400, "{query}");
    }
    browser.assert_still_waiting().await;
}

#[tokio::test]
async fn g3_twin_the_right_state_brings_the_tokens() {
    let browser = Browser::at_the_page().await;
    let answer = browser.callback(&format!("state={}&code=the-code", browser.state)).await;
    assert_eq!(status(&answer), 200);
    assert_eq!(browser.outcome.await.unwrap().unwrap().access_token.expose_secret(), "access-0");
    assert_eq!(browser.aws.exchanges()[0].grant, "the-code");
}

#[tokio::test]
async fn g4_another_path_method_or_host_gets_nothing() {
    let browser = Browser::at_the_page().await;
    let (port, good) = (browser.port, format!("/oauth/callback?code=c&state={}", browser.state));
    let own = format!("127.0.0.1:{port}");
    for path in ["/", "/oauth", "/oauth/callback/", "/oauth//callback", "/oauth/%63allback", "/OAUTH/CALLBACK"] {
        let target = good.replace("/oauth/callback", path);
        assert_eq!(status(&browser.get(&target).await), 404, "{path}");
    }
    for method in ["HEAD", "POST", "PUT", "OPTIONS", "TRACE", "DELETE", "FOO"] {
        let request = format!("{method} {good} HTTP/1.1\r\nHost: {own}\r\n\r\n");
        assert_eq!(status(&browser.send(&request).await), 405, "{method}");
    }
    for host in [
        "localhost",
        &format!("localhost:{port}"),
        "127.0.0.1",
        &format!("127.0.0.1.:{port}"),
        &format!("{own}@evil.test"),
        &format!("evil.test:{port}"),
        &format!("[::1]:{port}"),
        &format!("127.0.0.1.nip.io:{port}"),
        "",
    ] {
        let request = format!("GET {good} HTTP/1.1\r\nHost: {host}\r\n\r\n");
        assert!(matches!(status(&browser.send(&request).await), 400 | 403), "{host}");
    }
    for head in [
        String::new(),
        format!("Host: {own}\r\nHost: {own}\r\n"),
        format!("Host: {own}\r\nHost: evil.test\r\n"),
        format!("Host: {own}\r\nContent-Length: 3\r\n"),
        format!("Host: {own}\r\nTransfer-Encoding: chunked\r\n"),
        format!("Host : {own}\r\n"),
    ] {
        let request = format!("GET {good} HTTP/1.1\r\n{head}\r\nabc");
        assert!(matches!(status(&browser.send(&request).await), 400 | 403), "{head}");
    }
    for authority in ["evil.test".to_owned(), own.clone()] {
        let request = format!("GET http://{authority}{good} HTTP/1.1\r\nHost: {own}\r\n\r\n");
        assert_eq!(status(&browser.send(&request).await), 403, "{authority}");
    }
    browser.assert_still_waiting().await;
}

#[tokio::test]
async fn g4_twin_the_one_path_method_and_host_get_the_page() {
    let browser = Browser::at_the_page().await;
    let good = format!("GET /oauth/callback?code=c&state={} HTTP/1.1\r\n", browser.state);
    let headers = format!("hOST:  127.0.0.1:{} \r\nAccept: */*\r\n\r\n", browser.port);
    assert_eq!(status(&browser.send(&format!("{good}{headers}")).await), 200);
    assert!(browser.outcome.await.unwrap().is_ok());
}

#[tokio::test]
async fn g5_a_second_callback_is_gone() {
    let browser = Browser::at_the_page().await;
    let good = format!("code=c&state={}", browser.state);
    assert_eq!(status(&browser.callback(&good).await), 200);
    for query in [good.as_str(), "code=c&state=wrong", "error=access_denied"] {
        assert_eq!(status(&browser.callback(query).await), 410, "{query}");
    }
    assert!(browser.outcome.await.unwrap().is_ok());
    assert_eq!(browser.aws.exchanges().len(), 1);
}

#[tokio::test]
async fn g5_twin_a_first_callback_is_answered_after_any_number_of_wrong_ones() {
    let browser = Browser::at_the_page().await;
    for _ in 0..20 {
        assert_eq!(status(&browser.callback("code=c&state=wrong").await), 400);
    }
    assert_eq!(status(&browser.callback(&format!("code=c&state={}", browser.state)).await), 200);
}

#[tokio::test]
async fn g5_fifty_callbacks_at_once_make_one_token_call() {
    let browser = Arc::new(Browser::at_the_page().await);
    let query = format!("code=c&state={}", browser.state);
    let mut callers = tokio::task::JoinSet::new();
    for _ in 0..50 {
        let (browser, query) = (Arc::clone(&browser), query.clone());
        callers.spawn(async move { status(&browser.callback(&query).await) });
    }
    let statuses = callers.join_all().await;
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1);
    assert!(statuses.iter().all(|status| matches!(status, 200 | 410)), "{statuses:?}");
    assert_eq!(browser.aws.exchanges().len(), 1);
}

#[tokio::test]
async fn g6_odd_answers_with_the_right_state_are_refused_and_end_nothing() {
    let browser = Browser::at_the_page().await;
    let state = browser.state.clone();
    for query in [
        format!("state={state}"),
        format!("state={state}&code="),
        format!("state={state}&code=a&code=b"),
        format!("state={state}&code=a&error=access_denied"),
        format!("state={state}&error=a&error=b"),
        format!("state={state}&code={}", "x".repeat(8193)),
    ] {
        assert_eq!(status(&browser.callback(&query).await), 400, "{}", &query[..60.min(query.len())]);
    }
    let huge = browser.callback(&format!("state={state}&code={}", "x".repeat(100_000))).await;
    assert!(matches!(status(&huge), 0 | 400..=499), "{huge}");
    browser.assert_still_waiting().await;
}

#[tokio::test]
async fn g6_twin_a_long_code_is_a_code() {
    let browser = Browser::at_the_page().await;
    let code = "x".repeat(8192);
    assert_eq!(status(&browser.callback(&format!("state={}&code={code}", browser.state)).await), 200);
    assert!(browser.outcome.await.unwrap().is_ok());
    assert_eq!(browser.aws.exchanges()[0].grant, code);
}

#[tokio::test]
async fn g6_declining_on_the_page_ends_it_without_a_token_call() {
    let browser = Browser::at_the_page().await;
    let answer = browser.callback(&format!("error=access_denied&state={}", browser.state)).await;
    assert!(status(&answer) == 200 && answer.contains("Sign-in declined"), "{answer}");
    assert_eq!(browser.outcome.await.unwrap().unwrap_err(), SignInError::Declined);
    assert!(browser.aws.exchanges().is_empty());
}

#[tokio::test]
async fn g6_another_error_of_the_page_reaches_the_terminal_printable() {
    let browser = Browser::at_the_page().await;
    let hostile = "error=server_error%1b%5d52&error_description=%1b[2J%0d%0a%3Cscript%3E%e2%80%ae";
    let answer = browser.callback(&format!("{hostile}&state={}", browser.state)).await;
    assert!(answer.contains("AWS ended the sign-in") && !answer.contains("[2J"), "{answer}");
    let shown = browser.outcome.await.unwrap().unwrap_err().to_string();
    assert!(shown.starts_with("AWS's page ended the sign-in (server_error"), "{shown}");
    assert!(!shown.chars().any(tegata_protocol::text::is_hostile), "{shown:?}");
}

#[tokio::test]
async fn g7_the_verifier_of_the_token_call_fits_the_challenge_of_the_page() {
    let browser = Browser::at_the_page().await;
    browser.callback(&format!("code=c&state={}", browser.state)).await;
    browser.outcome.await.unwrap().unwrap();
    let verifier = &browser.aws.exchanges()[0].verifier;
    let challenge = parameter(&browser.url, "code_challenge");
    assert_eq!(challenge, URL_SAFE_NO_PAD.encode(Sha256::digest(verifier)));
    assert!(!browser.url.as_str().contains(verifier.as_str()));
}

#[tokio::test]
async fn g7_twin_two_attempts_have_two_challenges() {
    let (one, other) = (Browser::at_the_page().await, Browser::at_the_page().await);
    assert_ne!(parameter(&one.url, "code_challenge"), parameter(&other.url, "code_challenge"));
}

#[tokio::test]
async fn g8_the_redirect_uri_of_both_calls_is_the_same_bytes() {
    let browser = Browser::at_the_page().await;
    browser.callback(&format!("code=c&state={}", browser.state)).await;
    browser.outcome.await.unwrap().unwrap();
    assert_eq!(browser.aws.exchanges()[0].redirect_uri, parameter(&browser.url, "redirect_uri"));
}

#[tokio::test]
async fn g8_twin_the_redirect_uri_is_that_of_its_own_attempt() {
    let (one, other) = (Browser::at_the_page().await, Browser::at_the_page().await);
    assert_ne!(parameter(&one.url, "redirect_uri"), parameter(&other.url, "redirect_uri"));
}

#[tokio::test]
async fn g9_the_page_is_that_of_the_sessions_region() {
    let browser = Browser::at_the_page().await;
    assert_eq!(browser.url.host_str(), Some("oidc.us-east-1.amazonaws.com"));
}

#[tokio::test]
async fn g9_twin_another_region_has_another_page() {
    let aws: Arc<dyn Aws> = answering([]);
    let session = SignInSession { region: Region::new("eu-west-1").unwrap(), ..session() };
    let clock = ManualClock::at(SystemTime::UNIX_EPOCH);
    let begun = begin(aws, &clock, &session, SignInFlow::Pkce, &registration()).await.unwrap();
    assert_eq!(begun.url.host_str(), Some("oidc.eu-west-1.amazonaws.com"));
}

fn between<'a>(text: &'a str, before: &str, after: &str) -> &'a str {
    text.split(before).nth(1).unwrap().split(after).next().unwrap()
}

#[tokio::test]
async fn g10_the_page_is_static_locked_down_and_forgets_the_code() {
    let browser = Browser::at_the_page().await;
    let canary = "CANARY%3Cscript%3E";
    let refused = browser.callback(&format!("code={canary}&state=CANARY&x=CANARY")).await;
    let good = browser.callback(&format!("code={canary}&state={}&x=CANARY", browser.state)).await;
    let gone = browser.callback(&format!("code={canary}&state={}", browser.state)).await;
    for answer in [&refused, &good, &gone, &browser.get("/CANARY").await] {
        assert!(!answer.contains("CANARY") && !answer.contains(&browser.state), "{answer}");
        let lower = answer.to_ascii_lowercase();
        for header in [
            "cache-control: no-store\r\n",
            "x-content-type-options: nosniff\r\n",
            "referrer-policy: no-referrer\r\n",
            "x-frame-options: deny\r\n",
            "content-type: text/html; charset=utf-8\r\n",
            "connection: close\r\n",
        ] {
            assert!(lower.contains(header), "{header} missing in {answer}");
        }
        for forbidden in ["set-cookie", "location:", "access-control-allow", "http-equiv", "http://", "href", "src="] {
            assert!(!lower.contains(forbidden), "{forbidden} in {answer}");
        }
        let policy = between(answer, "content-security-policy: ", "\r\n");
        for (tag, directive) in [("script", "script-src"), ("style", "style-src")] {
            let inline = between(answer, &format!("<{tag}>"), &format!("</{tag}>"));
            let hash = STANDARD.encode(Sha256::digest(inline));
            assert!(policy.contains(&format!("{directive} 'sha256-{hash}'")), "{tag}: {policy}");
        }
        assert!(policy.starts_with("default-src 'none'") && answer.contains("history.replaceState"));
    }
}

#[tokio::test]
async fn g10_twin_the_page_says_what_came_of_it() {
    let browser = Browser::at_the_page().await;
    let refused = browser.callback("code=c&state=wrong").await;
    let good = browser.callback(&format!("code=c&state={}", browser.state)).await;
    assert_ne!(between(&refused, "<h1>", "</h1>"), between(&good, "<h1>", "</h1>"));
}

#[tokio::test]
async fn g11_the_port_is_held_before_the_address_is_known() {
    let browser = Browser::at_the_page().await;
    assert!(tokio::net::TcpListener::bind(("127.0.0.1", browser.port)).await.is_err());
    assert!(tokio::net::TcpListener::bind(("0.0.0.0", browser.port)).await.is_err());
}

#[tokio::test]
async fn g11_twin_the_port_is_free_again_afterwards() {
    let browser = Browser::at_the_page().await;
    browser.outcome.abort();
    assert!(closes(browser.port).await);
    assert!(tokio::net::TcpListener::bind(("127.0.0.1", browser.port)).await.is_ok());
}

#[tokio::test]
async fn g12_no_parameter_leads_anywhere() {
    let browser = Browser::at_the_page().await;
    let elsewhere =
        "redirect_uri=https://evil.test&next=//evil.test&url=javascript:alert(1)&return_to=https://evil.test";
    let answer = browser.callback(&format!("code=c&state={}&{elsewhere}", browser.state)).await;
    assert!(status(&answer) == 200 && !answer.contains("evil") && !answer.contains("javascript:"), "{answer}");
}

#[tokio::test(start_paused = true)]
async fn c25_a_half_sent_head_is_closed_and_does_not_lock_the_browser_out() {
    let browser = Browser::at_the_page().await;
    let mut idle = Vec::new();
    for _ in 0..70 {
        let mut stream = TcpStream::connect(("127.0.0.1", browser.port)).await.unwrap();
        stream.write_all(b"GET /oauth/callback HTTP/1.1\r\nHo").await.unwrap();
        idle.push(stream);
    }
    assert_eq!(status(&browser.callback("state=wrong").await), 400);
    let mut rest = Vec::new();
    let _ = idle[0].read_to_end(&mut rest).await;
    assert!(!String::from_utf8(rest).unwrap().contains("200"));
    browser.assert_still_waiting().await;
}

#[tokio::test]
async fn c24_a_second_request_on_the_connection_is_not_served() {
    let browser = Browser::at_the_page().await;
    let one = format!("GET /oauth/callback?state=wrong HTTP/1.1\r\nHost: 127.0.0.1:{}\r\n\r\n", browser.port);
    let two = format!(
        "GET /oauth/callback?code=c&state={} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\n\r\n",
        browser.state, browser.port
    );
    let answer = browser.send(&format!("{one}{two}")).await;
    assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{answer}");
    browser.assert_still_waiting().await;
}

#[tokio::test]
async fn a_refused_code_is_reported_as_aws_said_it() {
    let over = AwsError::SignInOver { message: String::from("code expired") };
    let aws = answering([Err(over.clone())]);
    let Begun { url, outcome, .. } = begun(&aws, SignInFlow::Pkce).await.unwrap();
    let outcome = tokio::spawn(outcome);
    let redirect_uri = parameter(&url, "redirect_uri");
    let host = redirect_uri.trim_start_matches("http://").trim_end_matches("/oauth/callback").to_owned();
    let mut stream = TcpStream::connect(&host).await.unwrap();
    let target = format!("/oauth/callback?code=c&state={}", parameter(&url, "state"));
    stream.write_all(format!("GET {target} HTTP/1.1\r\nHost: {host}\r\n\r\n").as_bytes()).await.unwrap();
    assert_eq!(outcome.await.unwrap().unwrap_err(), SignInError::Aws(over));
}

#[tokio::test]
async fn e3_a_sign_in_under_way_shows_neither_state_nor_code() {
    let aws = answering([]);
    for flow in [SignInFlow::Pkce, SignInFlow::DeviceCode] {
        let begun = begun(&aws, flow).await.unwrap();
        let shown = format!("{begun:?}");
        assert!(!shown.contains("state") && !shown.contains("ABCD") && !shown.contains("http"), "{shown}");
    }
}
