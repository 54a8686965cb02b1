//! The endpoint of `tegata exec` against everybody but its one client (security.md, C1 to C16 and C24 to C29).
#![allow(clippy::unwrap_used, clippy::panic, reason = "this is a test")]

use std::io::Write;
use std::net::TcpStream;
use tegata_tests::exec::{Answer, Exec, received};
use tegata_tests::gated::records;
use tegata_tests::product::{PATIENCE, Product, wait_until};

fn signed_in() -> Product {
    let mut product = Product::new();
    product.start_daemon();
    product.sign_in();
    product
}

/// The addresses on which a process listens over TCP, as the kernel lists them: local address in hexadecimal, state 0A.
fn listens(pid: u32) -> Vec<String> {
    let sockets: Vec<String> = std::fs::read_dir(format!("/proc/{pid}/fd"))
        .unwrap()
        .flatten()
        .filter_map(|entry| std::fs::read_link(entry.path()).ok())
        .filter_map(|target| Some(target.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?.to_owned()))
        .collect();
    let tables = ["tcp", "tcp6"].map(|table| std::fs::read_to_string(format!("/proc/{pid}/net/{table}")).unwrap());
    let rows =
        tables.iter().flat_map(|table| table.lines().skip(1)).map(|row| row.split_whitespace().collect::<Vec<_>>());
    rows.filter(|row| row[3] == "0A" && sockets.iter().any(|socket| socket == row[9]))
        .map(|row| row[1].to_owned())
        .collect()
}

#[test]
fn c1_exec_without_it_nothing_listens() {
    let mut product = Product::new();
    let daemon = product.start_daemon();
    product.sign_in();
    assert_eq!(product.credentials("dev").code, 0);
    wait_until("the callback of the sign-in is closed", || listens(daemon).is_empty());
    let with_variables =
        product.run(&["exec", "dev", "--env", "--", "sh", "-c", "echo ${AWS_CONTAINER_CREDENTIALS_FULL_URI-none}"]);
    assert_eq!(with_variables.stdout, "none\n");
    let exec = Exec::start(&product, &["dev"]);
    assert_eq!(listens(daemon), [""; 0], "the daemon has no part in it");
    assert_eq!(exec.ends(), 0);
}

#[test]
fn c1_twin_c2_exec_listens_on_one_port_of_127_0_0_1_and_on_nothing_else() {
    let product = signed_in();
    let exec = Exec::start(&product, &["dev"]);
    let expected = format!("0100007F:{:04X}", exec.address().port());
    assert_eq!(listens(exec.pid()), [expected]);
    for elsewhere in ["127.0.0.2", "[::1]"] {
        let address = format!("{elsewhere}:{}", exec.address().port());
        assert!(TcpStream::connect(&address).is_err(), "{address}");
    }
}

#[test]
fn c3_c9_exec_twin_the_one_client_is_served() {
    let product = signed_in();
    let exec = Exec::start(&product, &["dev"]);
    for headers in [
        &[][..],
        &[("Accept", "application/json"), ("User-Agent", "python-urllib3/2.5")],
        &[("user-agent", "Go-http-client/1.1"), ("Amz-Sdk-Request", "attempt=1; max=3"), ("accept-encoding", "gzip")],
        &[("Content-Length", "0"), ("Connection", "keep-alive")],
    ] {
        let answer = exec.get_with(&exec.url().1, headers);
        assert_eq!(answer.status, 200, "{headers:?}: {answer:?}");
        assert!(answer.head.contains("content-type: application/json") && answer.head.contains("connection: close"));
    }
}

#[test]
fn c3_exec_every_other_host_is_refused() {
    let product = signed_in();
    let exec = Exec::start(&product, &["dev"]);
    let (port, path, token) = (exec.address().port(), exec.url().1, exec.token());
    let ask = |lines: &str| exec.send(&format!("GET {path} HTTP/1.1\r\n{lines}Authorization: {token}\r\n\r\n")).status;
    for host in [
        "",
        "127.0.0.1",
        "localhost",
        "localhost.",
        "tegata.localhost.",
        "LOCALHOST",
        "127.0.0.1.nip.io",
        "[::1]",
        "evil.test",
        "xn--lcalhost-54a",
        "0x7f000001",
        "2130706433",
    ] {
        assert_eq!(ask(&format!("Host: {host}\r\n")), 403, "{host}");
        if host != "127.0.0.1" {
            assert_eq!(ask(&format!("Host: {host}:{port}\r\n")), 403, "{host}:{port}");
        }
    }
    for host in
        [format!("127.0.0.1:{}", port ^ 1), format!("127.0.0.1:{port}@evil"), format!("{}:{port}", "x".repeat(300))]
    {
        assert_eq!(ask(&format!("Host: {host}\r\n")), 403, "{host}");
    }
    assert_eq!(ask(""), 403, "none");
    assert_eq!(ask(&format!("Host: 127.0.0.1:{port}\r\nHost: 127.0.0.1:{port}\r\n")), 403, "two");
}

#[test]
fn c4_exec_a_target_that_names_another_host_is_refused() {
    let product = signed_in();
    let exec = Exec::start(&product, &["dev"]);
    let ((host, path), token) = (exec.url(), exec.token());
    for target in [
        format!("http://evil.test{path}"),
        format!("http://{host}{path}"),
        format!("//evil.test{path}"),
        "*".to_owned(),
    ] {
        let answer = exec.send(&format!("GET {target} HTTP/1.1\r\nHost: {host}\r\nAuthorization: {token}\r\n\r\n"));
        let expected = if target.starts_with("//") { 404 } else { 400 };
        assert_eq!(answer.status, expected, "{target}");
    }
}

#[test]
fn c5_c6_c8_exec_what_came_through_a_proxy_or_from_a_page_is_refused() {
    let product = signed_in();
    let exec = Exec::start(&product, &["dev"]);
    let own = format!("http://{}", exec.url().0);
    for (name, value) in [
        ("X-Forwarded-Host", "127.0.0.1"),
        ("X-Forwarded-For", "127.0.0.1"),
        ("Forwarded", "for=127.0.0.1"),
        ("Via", "1.1 x"),
        ("Origin", "null"),
        ("Origin", own.as_str()),
        ("Origin", "http://evil.test"),
        ("Referer", own.as_str()),
        ("Sec-Fetch-Site", "cross-site"),
        ("Sec-Fetch-Site", "same-site"),
        ("Sec-Fetch-Site", "same-origin"),
    ] {
        let answer = exec.get_with(&exec.url().1, &[(name, value)]);
        assert_eq!(answer.status, 403, "{name}: {value}");
    }
}

#[test]
fn c9_exec_every_other_token_is_refused_in_the_same_words() {
    let product = signed_in();
    let exec = Exec::start(&product, &["dev"]);
    let ((host, path), token) = (exec.url(), exec.token());
    let ask = |target: &str, lines: &str| exec.send(&format!("GET {target} HTTP/1.1\r\nHost: {host}\r\n{lines}\r\n"));
    let before = records(&product, "released").len();
    let mut answers = vec![
        ask(&path, ""),
        ask(&format!("{path}?Authorization={token}"), ""),
        ask(&path, &format!("Authorization: {token}\r\nAuthorization: {token}\r\n")),
        ask(&path, &format!("Cookie: Authorization={token}\r\n")),
        ask("/nowhere", ""),
    ];
    for sent in [
        String::new(),
        token[1..].to_owned(),
        format!("{token}0"),
        token.to_ascii_uppercase(),
        format!("Bearer {token}"),
        format!("bearer {token}"),
        format!("Basic {token}"),
        format!("{token}, x"),
        "x".repeat(4_000),
    ] {
        answers.push(ask(&path, &format!("Authorization: {sent}\r\n")));
    }
    assert_eq!(answers[0].status, 403);
    answers.dedup();
    assert_eq!(answers.len(), 1, "{answers:?}");
    assert_eq!(records(&product, "released").len(), before, "the daemon was not even asked");
}

#[test]
fn c10_exec_the_token_is_compared_in_constant_time() {
    let rules = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../cli/src/endpoint/rules.rs")).unwrap();
    let uses: Vec<_> = rules.lines().filter(|line| line.contains("self.token")).collect();
    assert_eq!(uses.len(), 1, "{uses:?}");
    assert!(uses[0].contains(".ct_eq("), "{uses:?}");
    for file in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../cli/src/endpoint")).unwrap().flatten() {
        let text = std::fs::read_to_string(file.path()).unwrap();
        let product = text.split("#[cfg(test)]").next().unwrap();
        assert!(!product.contains("token ==") && !product.contains("== token"), "{:?}", file.path());
    }
}

#[test]
fn c11_exec_tokens_have_256_bits_and_open_one_endpoint_only() {
    let product = signed_in();
    let (one, two, other) =
        (Exec::start(&product, &["dev"]), Exec::start(&product, &["dev"]), Exec::start(&product, &["admin"]));
    assert!([&one, &two, &other].iter().all(|exec| exec.token().len() == 64));
    for (here, elsewhere) in [(&one, &two), (&one, &other), (&other, &one)] {
        let (host, path) = here.url();
        let stolen = elsewhere.token();
        let answer = here.send(&format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: {stolen}\r\n\r\n"));
        assert_eq!(answer.status, 403);
        let (_, of_the_other) = elsewhere.url();
        assert_eq!(here.get_with(&of_the_other, &[]).status, 404, "its own token on the other's path");
    }
}

#[test]
fn c11_exec_twin_each_token_opens_its_own_and_gives_its_own_profile() {
    let product = signed_in();
    let (dev, admin) = (Exec::start(&product, &["dev"]), Exec::start(&product, &["admin"]));
    let keys = [&dev, &admin].map(|exec| exec.get().json()["AccessKeyId"].as_str().unwrap().to_owned());
    assert_ne!(keys[0], keys[1]);
    assert_eq!(dev.ends(), 0);
    assert_eq!(admin.get().status, 200, "it ends with its own command and no other");
}

#[test]
fn c15_c16_exec_no_answer_lets_a_page_read_it_or_sets_a_cookie() {
    let product = signed_in();
    let exec = Exec::start(&product, &["dev"]);
    let ((host, path), token) = (exec.url(), exec.token());
    let preflight = format!(
        "OPTIONS {path} HTTP/1.1\r\nHost: {host}\r\nOrigin: http://evil.test\r\nAccess-Control-Request-Method: GET\r\n\
         Access-Control-Request-Headers: authorization\r\nAccess-Control-Request-Private-Network: true\r\n\r\n"
    );
    let answers = [
        exec.get(),
        exec.send(&preflight),
        exec.get_with("/other", &[]),
        exec.get_with(&path, &[("Origin", "null")]),
        exec.send("nonsense\r\n\r\n"),
        exec.send(&format!("POST {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: {token}\r\n\r\n")),
    ];
    let statuses = answers.each_ref().map(|answer| answer.status);
    assert_eq!(statuses, [200, 405, 404, 403, 400, 405]);
    for Answer { head, .. } in answers {
        assert!(!head.contains("access-control") && !head.contains("set-cookie"), "{head}");
        for header in
            ["cache-control: no-store", "x-content-type-options: nosniff", "cross-origin-resource-policy: same-origin"]
        {
            assert!(head.contains(header), "{header} is not in {head}");
        }
    }
}

#[test]
fn c24_exec_what_two_readers_may_understand_differently_is_refused_and_the_connection_closed() {
    let product = signed_in();
    let exec = Exec::start(&product, &["dev"]);
    let ((host, path), token) = (exec.url(), exec.token());
    let good = format!("Host: {host}\r\nAuthorization: {token}\r\n");
    let second = format!("GET {path} HTTP/1.1\r\n{good}\r\n");
    let before = records(&product, "released").len();
    for first in [
        format!("GET {path} HTTP/1.1\r\n{good}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
        format!("GET {path} HTTP/1.1\r\n{good}Content-Length: 0\r\nContent-Length: 0\r\n\r\n"),
        format!("GET {path} HTTP/1.1\r\n{good}Content-Length: {}\r\n\r\n", second.len()),
        format!("GET {path} HTTP/1.1\r\n{good}Transfer-Encoding: xchunked\r\n\r\n"),
        format!("GET {path} HTTP/1.1\r\n{good}Transfer-Encoding: chunked\r\n\r\n5;x={}\r\n", "y".repeat(1_000_000)),
        format!("GET {path} HTTP/1.1\n{}\n", good.replace("\r\n", "\n")),
        format!("GET {path} HTTP/1.1\r\n{good}X: a\r\n b\r\n\r\n"),
        format!("GET {path} HTTP/1.1\r\n{good}X : a\r\n\r\n"),
        format!("GET {path} HTTP/1.1\r\n{good}{}\r\n", "X: y\r\n".repeat(101)),
        format!("GET {path} HTTP/1.1\r\n{good}X: {}\r\n\r\n", "y".repeat(1_000_000)),
        format!("GET {path} HTTP/1.0\r\n{good}\r\n"),
        format!("TRACE {path} HTTP/1.1\r\n{good}\r\n"),
        format!("CONNECT {host} HTTP/1.1\r\n{good}\r\n"),
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_owned(),
    ] {
        let shown: String = first.chars().take(120).collect();
        for request in [first.clone(), format!("{first}{second}")] {
            let Answer { status, body, .. } = exec.send(&request);
            // 0: closed while bytes that nobody would read were still under way.
            assert!((400..500).contains(&status) || status == 0, "{status} to {shown}");
            assert!(!body.contains("AccessKeyId"), "{shown}");
        }
    }
    assert_eq!(records(&product, "released").len(), before, "no second request was served");
    assert_eq!(exec.get().status, 200);
}

#[test]
fn c25_exec_a_head_that_does_not_end_is_closed_and_holds_nobody_up() {
    let product = signed_in();
    let exec = Exec::start(&product, &["dev"]);
    let mut slow: Vec<_> = (0..100).map(|_| TcpStream::connect(exec.address()).unwrap()).collect();
    for stream in &mut slow {
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        // More than have a place: the oldest may be gone.
        let _ = stream.write_all(b"GET / HTTP/1.1\r\nHost: ");
    }
    assert_eq!(exec.get().status, 200);
    for stream in &mut slow {
        assert_eq!(received(stream).status, 0, "closed without a word");
    }
}

#[test]
fn c27_exec_is_no_metadata_service() {
    let product = signed_in();
    let exec = Exec::start(&product, &["dev"]);
    let ((host, _), token) = (exec.url(), exec.token());
    for path in [
        "/latest/api/token",
        "/latest/meta-data/iam/security-credentials/",
        "/latest/meta-data/iam/security-credentials/dev",
    ] {
        assert_eq!(exec.get_with(path, &[]).status, 404, "{path}");
        let without = exec.send(&format!("GET {path} HTTP/1.1\r\nHost: 169.254.169.254\r\n\r\n"));
        assert_eq!(without.status, 403, "{path}");
        let put = format!(
            "PUT {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: {token}\r\nx-aws-ec2-metadata-token-ttl-seconds: 21600\r\n\r\n"
        );
        assert_eq!(exec.send(&put).status, 405, "{path}");
    }
}

#[test]
fn c28_exec_there_is_one_path_and_no_way_to_another_role() {
    let product = signed_in();
    let exec = Exec::start(&product, &["dev"]);
    let own = exec.url().1;
    for path in [
        "/".to_owned(),
        "/role-arn/arn:aws:iam::123456789012:role/Admin".to_owned(),
        "/v1/credentials?profile=admin".to_owned(),
        format!("{own}/"),
        format!("{own}/.."),
        format!("{own}/../{}", &own[1..]),
        format!("{own}%00"),
        format!("/%2e%2e{own}"),
        format!("/{own}"),
        format!("{own}?profile=admin"),
        format!("{own}#x"),
        own.to_ascii_uppercase().replace("/", "/x"),
        format!("/{}", "a".repeat(8 * 1024)),
    ] {
        let shown: String = path.chars().take(80).collect();
        assert_eq!(exec.get_with(&path, &[]).status, 404, "{shown}");
    }
}

#[test]
fn c29_exec_the_address_it_gives_is_the_literal_one() {
    let product = signed_in();
    let exec = Exec::start(&product, &["dev"]);
    let url = &exec.variables["AWS_CONTAINER_CREDENTIALS_FULL_URI"];
    assert!(url.starts_with("http://127.0.0.1:"), "{url}");
    assert_eq!(exec.get().status, 200);
    assert!(!exec.variables.contains_key("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"));
}

#[test]
fn c27_twin_exec_serves_those_who_speak_its_protocol() {
    let product = signed_in();
    let served = Exec::start(&product, &["dev"]).get();
    assert_eq!(served.status, 200);
    assert!(served.body.contains("\"Token\""));
}

#[test]
fn c28_twin_exec_its_own_path_is_served_each_time() {
    let product = signed_in();
    let exec = Exec::start(&product, &["dev"]);
    let own = exec.url().1;
    assert_eq!([(); 2].map(|()| exec.get_with(&own, &[]).status), [200, 200]);
}

#[test]
fn c29_twin_exec_the_literal_address_is_where_it_listens() {
    let product = signed_in();
    let exec = Exec::start(&product, &["dev"]);
    assert!(exec.url().0.starts_with("127.0.0.1:"));
    assert_eq!(exec.get().status, 200);
}
