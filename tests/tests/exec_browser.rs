//! Web pages in a real Chromium against the endpoint of `tegata exec` (security.md, C6, C12 to C15), also with the token in hand.
#![cfg(feature = "system")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "this is a test")]

use std::io::{Read, Write};
use std::net::TcpListener;
use tegata_tests::chromium::Chromium;
use tegata_tests::exec::Exec;
use tegata_tests::gated::records;
use tegata_tests::product::Product;

/// Serves one page to everybody, on a port of its own, until the test's process ends; returns the port.
fn page_elsewhere(html: &str) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let answer = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{html}",
        html.len()
    );
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let answer = answer.clone();
            // Chromium connects ahead and then says nothing for a while.
            std::thread::spawn(move || {
                let _ = stream.read(&mut [0; 8192]);
                let _ = stream.write_all(answer.as_bytes());
            });
        }
    });
    port
}

/// A script that asks for an address and says what came: the status, or that the browser kept it from the page.
fn fetch(url: &str, options: &str) -> String {
    format!(
        "fetch({url:?}, {options}).then(async (answer) => `${{answer.type}} ${{answer.status}} ${{await answer.text()}}`, () => 'kept')"
    )
}

fn signed_in() -> Product {
    let mut product = Product::new();
    product.start_daemon();
    product.sign_in();
    product
}

#[test]
fn c12_exec_a_rebound_page_gets_nothing_even_with_the_token() {
    let (chromium, product) = (Chromium::start(), signed_in());
    let exec = Exec::start(&product, &["dev"]);
    let ((_, path), port) = (exec.url(), exec.address().port());
    let before = records(&product, "released").len();
    let tab = chromium.tab("rebound");
    let with_token = format!("{{ headers: {{ authorization: '{}' }} }}", exec.token());
    for host in ["evil.test", "localhost", "tegata.localhost", "127.0.0.1"] {
        // To the browser the page and the endpoint are one origin.
        tab.open(&format!("http://{host}:{port}{path}"));
        for options in ["{}", "{ credentials: 'include' }", with_token.as_str()] {
            let came = tab.run(&fetch(&path, options));
            let came = came.as_str().unwrap();
            assert!(came.starts_with("basic 403 ") && !came.contains("AccessKeyId"), "{host} {options}: {came}");
        }
    }
    assert_eq!(records(&product, "released").len(), before);
}

#[test]
fn c13_c15_exec_pages_on_other_ports_and_names_read_nothing() {
    let (chromium, product) = (Chromium::start(), signed_in());
    let exec = Exec::start(&product, &["dev"]);
    let url = &exec.variables["AWS_CONTAINER_CREDENTIALS_FULL_URI"];
    let before = records(&product, "released").len();
    let port = page_elsewhere("<p>elsewhere");
    let tab = chromium.tab("elsewhere");
    let with_token = format!("{{ headers: {{ authorization: '{}' }} }}", exec.token());
    for host in ["127.0.0.1", "localhost", "evil.test"] {
        tab.open(&format!("http://{host}:{port}/"));
        for options in ["{}", with_token.as_str(), "{ method: 'POST', body: 'x' }"] {
            assert_eq!(tab.run(&fetch(url, options)), "kept", "{host} {options}");
        }
        // Not even as something it could show and not read: the answer belongs to no page.
        assert_eq!(tab.run(&fetch(url, "{ mode: 'no-cors' }")), "kept", "{host}");
    }
    assert_eq!(records(&product, "released").len(), before);
}

#[test]
fn c14_exec_forms_images_scripts_styles_streams_sockets_and_links_learn_nothing() {
    let (chromium, product) = (Chromium::start(), signed_in());
    let exec = Exec::start(&product, &["dev"]);
    let url = &exec.variables["AWS_CONTAINER_CREDENTIALS_FULL_URI"];
    let (socket, token) = (url.replace("http", "ws"), exec.token());
    let before = records(&product, "released").len();
    let port = page_elsewhere(&format!(
        "<p>elsewhere<img src='{url}'><script src='{url}'></script><link rel=stylesheet href='{url}'><iframe src='{url}'></iframe>
         <a href='{url}'>go</a><form method=post enctype='text/plain' action='{url}'><input name='{token}' value=x></form>
         <script>
           window.stream = new Promise((done) => {{ const s = new EventSource('{url}'); s.onopen = () => done('open'); s.onerror = () => done('closed'); }});
           window.socket = new Promise((done) => {{ const s = new WebSocket('{socket}'); s.onopen = () => done('open'); s.onerror = () => done('closed'); }});
         </script>"
    ));
    let tab = chromium.tab("page");
    let there = format!("http://localhost:{port}/");
    tab.open(&there);
    assert_eq!((tab.run("window.stream"), tab.run("window.socket")), ("closed".into(), "closed".into()));
    tab.click("a");
    assert!(tab.text("body", "forbidden").contains("this endpoint is for another program"));
    tab.open(&there);
    let _ = tab.run("document.forms[0].submit()");
    assert!(tab.text("body", "bad_request").contains("this is no request of HTTP/1.1"), "it has a body");
    assert_eq!(records(&product, "released").len(), before);
    product.assert_no_canaries();
}

#[test]
fn c12_c14_exec_twin_the_client_it_is_for_is_served_meanwhile() {
    let product = signed_in();
    let exec = Exec::start(&product, &["dev"]);
    let before = records(&product, "released").len();
    assert_eq!(exec.get().status, 200);
    assert_eq!(records(&product, "released").len(), before + 1);
}
