use super::*;

#[tokio::test]
async fn a_page_is_opened_looked_at_and_approved() {
    let house = House::open().await;
    let opened = house.act("open", "secret-1").await;
    assert_eq!((opened.status, opened.json()["view"]["code"].as_str()), (200, Some("amber otter")));
    let token = opened.json()["token"].as_str().unwrap().to_owned();
    assert_eq!(house.act("view", &token).await.json()["state"], "awaits_gesture");
    assert_eq!(house.act("begin", &token).await.json()["publicKey"]["challenge"], "AA");
    let finished = house.call("finish", &format!("Tegata-Page: {token}\r\n"), r#"{"id":"a"}"#).await;
    assert_eq!((finished.status, finished.json()["state"].as_str()), (200, Some("approved")));
    let origin = house.page.origin();
    let wanted = ["open r1", "view r1", &format!("begin {origin} r1"), &format!("finish {origin} {{\"id\":\"a\"}} r1")];
    assert_eq!(house.desk.done(), wanted);
}

#[tokio::test]
async fn a_page_is_refused() {
    let house = House::open().await;
    let token = house.token("secret-2").await;
    assert_eq!(house.act("refuse", &token).await.json()["state"], "refused");
    assert_eq!(house.desk.done(), ["open r2", "refuse r2"]);
}

#[tokio::test]
async fn c3_another_host_gets_nothing_over_the_socket() {
    let house = House::open().await;
    for host in [
        "",
        "Host: \r\n",
        "Host: HOST\r\nHost: HOST\r\n",
        "Host: localhost\r\n",
        "Host: HOST@evil\r\n",
        "Host: evil.test\r\n",
    ] {
        let answer = house.send(&format!("GET / HTTP/1.1\r\n{host}\r\n")).await;
        assert_eq!(answer.status, 403, "{host:?}");
        assert!(!answer.body.contains("<html"), "{host:?}");
    }
}

#[tokio::test]
async fn c3_twin_the_page_is_had_on_both_addresses() {
    let house = House::open().await;
    let answer = house.send("GET / HTTP/1.1\r\nHost: HOST\r\n\r\n").await;
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("text/html; charset=utf-8")));
    assert!(answer.body.starts_with("<!doctype html>") && !answer.body.contains("{script}"));
}

#[tokio::test]
async fn c4_a_whole_address_of_somebody_else_is_refused_over_the_socket() {
    let house = House::open().await;
    for target in ["http://evil.test/", "http://HOST/", "//evil.test@HOST/"] {
        let answer = house.send(&format!("GET {target} HTTP/1.1\r\nHost: HOST\r\n\r\n")).await;
        assert!(matches!(answer.status, 400 | 404), "{target}: {answer:?}");
    }
}

#[tokio::test]
async fn c9_every_wrong_token_gets_the_same_bytes() {
    let house = House::open().await;
    let token = house.token("secret-1").await;
    let mut answers = Vec::new();
    for act in ["open", "view", "begin", "finish", "refuse"] {
        for header in [
            String::new(),
            String::from("Tegata-Page: \r\n"),
            String::from("Tegata-Page: short\r\n"),
            format!("Tegata-Page: {}x\r\n", &token[1..]),
            format!("Tegata-Page: Bearer {token}\r\n"),
            format!("Tegata-Page: bearer{token}\r\n"),
            format!("Tegata-Page: {token}, {token}\r\n"),
            format!("Tegata-Page: {}\r\n", token.repeat(20)),
            format!("Tegata-Page: {token}\r\nTegata-Page: {token}\r\n"),
            format!("Authorization: Bearer {token}\r\n"),
            format!("Cookie: Tegata-Page={token}\r\n"),
            String::from("Tegata-Page: secret-1\r\n"),
        ] {
            answers.push(house.call(act, &header, "{}").await);
        }
        answers.push(house.act(&format!("{act}?token={token}"), &token).await);
    }
    answers.push(house.send(&format!("GET /?{token} HTTP/1.1\r\nHost: HOST\r\n\r\n")).await);
    for answer in &answers {
        assert_eq!((answer.status, answer.but_date()), (403, answers[0].but_date()));
    }
    assert_eq!(house.desk.done(), ["open r1"]);
}

#[tokio::test]
async fn c9_twin_the_token_in_its_header_is_answered() {
    let house = House::open().await;
    let token = house.token("secret-1").await;
    assert_eq!(house.act("view", &token).await.status, 200);
}

#[tokio::test]
async fn c11_a_token_shows_its_own_request_only() {
    let house = House::open().await;
    let (one, two) = (house.token("secret-1").await, house.token("secret-2").await);
    assert_eq!(house.act("view", &one).await.json()["id"], "r1");
    assert_eq!(house.act("view", &two).await.json()["id"], "r2");
    // Nothing else in a request names one: with the first page's token there is no way to the second.
    let other = house.call("refuse", &format!("Tegata-Page: {one}\r\nTegata-Request: r2\r\n"), r#"{"id":"r2"}"#).await;
    assert_eq!(other.json()["id"], "r1");
    assert_eq!(house.act("view", &two).await.json()["state"], "awaits_gesture");
}

#[tokio::test]
async fn c11_twin_each_token_decides_its_own_request() {
    let house = House::open().await;
    let (one, two) = (house.token("secret-1").await, house.token("secret-2").await);
    assert_ne!(one, two);
    assert_eq!(house.act("refuse", &two).await.json()["id"], "r2");
    assert_eq!(house.act("refuse", &one).await.json()["id"], "r1");
}

#[tokio::test]
async fn c15_a_preflight_is_told_nothing() {
    let house = House::open().await;
    for path in ["/", "/api/open", "/api/finish", "/elsewhere"] {
        let answer = house
            .send(&format!(
                "OPTIONS {path} HTTP/1.1\r\nHost: HOST\r\nOrigin: http://evil.test\r\n\
                 Access-Control-Request-Method: POST\r\nAccess-Control-Request-Headers: tegata-page\r\n\r\n"
            ))
            .await;
        assert!(matches!(answer.status, 404 | 405), "{answer:?}");
        assert!(!answer.head.to_lowercase().contains("access-control"), "{answer:?}");
    }
}

#[tokio::test]
async fn c15_twin_the_page_itself_needs_no_preflight() {
    let house = House::open().await;
    let answer = house.act("open", "secret-1").await;
    assert_eq!(answer.status, 200);
    assert!(!answer.head.to_lowercase().contains("access-control"), "{answer:?}");
}

/// One answer of every kind there is.
async fn every_kind(house: &House) -> Vec<Answer> {
    let token = house.token("secret-1").await;
    vec![
        house.send("GET / HTTP/1.1\r\nHost: HOST\r\n\r\n").await,
        house.act("open", "secret-2").await,
        house.act("open", "secret-2").await,
        house.act("view", &token).await,
        house.act("begin", &token).await,
        house.call("finish", &format!("Tegata-Page: {token}\r\n"), "{}").await,
        house.act("refuse", &token).await,
        house.act("view", "wrong").await,
        house.act("elsewhere", &token).await,
        house.send("GET /api/view HTTP/1.1\r\nHost: HOST\r\n\r\n").await,
        house.send("GET / HTTP/1.1\r\nHost: evil\r\n\r\n").await,
        house.send("GET / HTTP/1.1\nHost: HOST\n\n").await,
        house.send("GET http://evil.test/ HTTP/1.1\r\nHost: HOST\r\n\r\n").await,
        house.send("nonsense\r\n\r\n").await,
        house.send(&format!("GET / HTTP/1.1\r\nHost: HOST\r\n{}\r\n", "A: b\r\n".repeat(100))).await,
    ]
}

#[tokio::test]
async fn c16_no_answer_sets_a_cookie() {
    let house = House::open().await;
    for answer in every_kind(&house).await {
        assert!(answer.header("set-cookie").is_none(), "{answer:?}");
    }
}

#[tokio::test]
async fn c16_twin_a_cookie_that_comes_along_means_nothing() {
    let house = House::open().await;
    let (one, two) = (house.token("secret-1").await, house.token("secret-2").await);
    let answer = house.call("view", &format!("Cookie: tegata-page={two}\r\nTegata-Page: {one}\r\n"), "{}").await;
    assert_eq!(answer.json()["id"], "r1");
}

#[tokio::test]
async fn c17_every_answer_keeps_the_page_to_itself() {
    let house = House::open().await;
    for answer in every_kind(&house).await {
        for (name, value) in [
            ("cache-control", "no-store"),
            ("cross-origin-opener-policy", "same-origin"),
            ("cross-origin-resource-policy", "same-origin"),
            ("permissions-policy", "publickey-credentials-get=(self), publickey-credentials-create=(self)"),
            ("referrer-policy", "no-referrer"),
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("connection", "close"),
        ] {
            assert_eq!(answer.header(name), Some(value), "{name}: {answer:?}");
        }
        let policy = answer.header("content-security-policy").unwrap();
        assert!(
            policy.starts_with("default-src 'none'; script-src 'sha256-") && !policy.contains("unsafe"),
            "{policy}"
        );
        for directive in ["connect-src 'self'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'none'"] {
            assert!(policy.contains(directive), "{policy}");
        }
        assert!(!answer.head.to_lowercase().contains("access-control"), "{answer:?}");
    }
}

#[tokio::test]
async fn c17_twin_the_answers_themselves_differ() {
    let house = House::open().await;
    let statuses: Vec<_> = every_kind(&house).await.iter().map(|answer| answer.status).collect();
    assert_eq!(statuses, [200, 200, 403, 200, 200, 200, 200, 403, 404, 405, 403, 400, 400, 400, 431]);
}

#[tokio::test]
async fn e11_texts_reach_the_page_as_printable_lines() {
    let house = House::open().await;
    house.desk.change(|view| {
        view.profile = Some(String::from("<script>alert(1)</script>\u{1b}]52;c;x\u{7}\u{202e}"));
        view.requester = vec![String::from("bash\r\n\u{9b}2J 42")];
    });
    let view = house.act("open", "secret-1").await.json()["view"].clone();
    // Markup is for the page to show as text; what would mislead a reader is made visible here.
    assert_eq!(view["profile"], r"<script>alert(1)</script>\u{1b}]52;c;x\u{7}\u{202e}");
    assert_eq!(view["requester"][0], r"bash\u{d}\u{a}\u{9b}2J 42");
}

#[tokio::test]
async fn b27_without_the_secret_of_the_address_nothing_is_begun() {
    let house = House::open().await;
    for secret in ["", "secret-", "secret-3"] {
        assert_eq!(house.act("open", secret).await.status, 403);
    }
    assert_eq!(house.act("begin", "secret-1").await.status, 403);
    assert!(house.desk.done().is_empty());
}

#[tokio::test]
async fn b27_twin_the_secret_opens_once() {
    let house = House::open().await;
    assert_eq!(house.act("open", "secret-1").await.status, 200);
    assert_eq!(house.act("open", "secret-1").await.status, 403);
}
