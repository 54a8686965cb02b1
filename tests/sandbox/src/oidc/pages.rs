//! The two pages a person sees: consent of the browser flow, and the device code. Plain HTML, usable by keyboard and
//! screen reader, no script.

use crate::organization::{Organization, User};
use crate::reply::escape;

const STYLE: &str = "body{font:1.125rem/1.5 system-ui,sans-serif;max-width:34rem;margin:3rem auto;padding:0 1rem;\
color:#16191f;background:#fff}h1{font-size:1.5rem}label{display:block;margin:1rem 0 .25rem}\
select,input,button{font:inherit;padding:.5rem .75rem;min-height:2.75rem;border:2px solid #414d5c;border-radius:.375rem}\
button{margin:1.5rem .75rem 0 0;cursor:pointer}.allow{background:#0b5cad;border-color:#0b5cad;color:#fff}\
:focus-visible{outline:3px solid #b35900;outline-offset:2px}\
@media (prefers-color-scheme:dark){body{background:#16191f;color:#f2f3f3}\
select,input,button{background:#2a3140;color:#f2f3f3}.allow{background:#0b5cad}}";

fn page(title: &str, main: &str) -> String {
    let title = escape(title);
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{title} - AWS sandbox</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n<h1>{title}</h1>\n\
         {main}\n<p><small>This is a sandbox for tests. It is not AWS, and nothing here reaches an AWS account.</small></p>\n\
         </main>\n</body>\n</html>\n"
    )
}

/// The consent page of `/authorize`; the form answers for the request `id`.
pub(super) fn consent(id: &str, client_id: &str, organization: &Organization) -> String {
    let body = format!(
        "<p>The application with client ID <code>{}</code> asks to use your accounts in <strong>{}</strong>.</p>\n\
         <form method=\"post\" action=\"/authorize\">\n<input type=\"hidden\" name=\"consent\" value=\"{}\">\n{}\n{}</form>",
        escape(client_id),
        escape(&organization.start_url),
        escape(id),
        user_choice(organization),
        buttons(),
    );
    page("Allow access to your data?", &body)
}

/// The device page; the code is filled in when the address had it.
pub(super) fn device(user_code: &str, organization: &Organization) -> String {
    let body = format!(
        "<p>Allow only if your terminal shows the same code.</p>\n<form method=\"post\" action=\"/device\">\n\
         <label for=\"user_code\">Code</label>\n\
         <input id=\"user_code\" name=\"user_code\" value=\"{}\" required autocomplete=\"off\" autocapitalize=\"characters\" spellcheck=\"false\">\n\
         {}\n{}</form>",
        escape(user_code),
        user_choice(organization),
        buttons(),
    );
    page("Authorize a device", &body)
}

/// A page with nothing to do on it.
pub(super) fn note(heading: &str, text: &str) -> String {
    page(heading, &format!("<p>{}</p>", escape(text)))
}

fn user_choice(organization: &Organization) -> String {
    let option = |user: &User| {
        let selected = if user.name == organization.signed_in { " selected" } else { "" };
        let (name, email) = (escape(&user.name), escape(&user.email));
        format!("<option value=\"{name}\"{selected}>{name} ({email})</option>")
    };
    let options: String = organization.users.iter().map(option).collect();
    format!("<label for=\"user\">Sign in as</label>\n<select id=\"user\" name=\"user\">{options}</select>")
}

fn buttons() -> &'static str {
    "<div>\n<button class=\"allow\" name=\"decision\" value=\"allow\">Allow</button>\n\
     <button name=\"decision\" value=\"deny\">Deny</button>\n</div>\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_consent_page_names_who_asks_and_offers_both_answers() {
        let page = consent("id-1", "client-1", &Organization::default());
        for part in [
            "lang=\"en\"",
            "client-1",
            "value=\"id-1\"",
            "value=\"allow\"",
            "value=\"deny\"",
            "for=\"user\"",
            "alice (alice@example.com)",
        ] {
            assert!(page.contains(part), "{part}");
        }
    }

    #[test]
    fn what_a_request_says_cannot_become_markup() {
        let page = device("\"><script>alert(1)</script>", &Organization::default());
        assert!(!page.contains("<script>"));
        assert!(page.contains("&quot;&gt;&lt;script&gt;"));
    }
}
