//! The page's door over real sockets: what is let in, what every answer carries, and when it closes.

mod desk;
mod knock;
mod lifetime;
mod limits;
mod routes;

use super::{Page, PageDoor};
use desk::Desk;
use knock::{Answer, knock};
use std::sync::Arc;

/// A page over a desk that knows `secret-1` and `secret-2`.
struct House {
    desk: Arc<Desk>,
    page: Page,
}

impl House {
    async fn open() -> Self {
        let desk = Arc::new(Desk::default());
        let page = Page::listen(Arc::clone(&desk) as _).await.unwrap();
        Self { desk, page }
    }

    fn port(&self) -> u16 {
        self.page.origin().port().unwrap()
    }

    /// Sends bytes in which `ORIGIN` and `HOST` stand for the page's own, and returns everything that comes back.
    async fn send(&self, text: &str) -> Answer {
        let host = format!("tegata.localhost:{}", self.port());
        knock(self.port(), text.replace("ORIGIN", &format!("http://{host}")).replace("HOST", &host).as_bytes()).await
    }

    /// A call as the page makes it, with headers of one's own behind the others.
    async fn call(&self, act: &str, headers: &str, body: &str) -> Answer {
        let length = body.len();
        self.send(&format!(
            "POST /api/{act} HTTP/1.1\r\nHost: HOST\r\nOrigin: ORIGIN\r\nSec-Fetch-Site: same-origin\r\n\
             Content-Type: application/json\r\nContent-Length: {length}\r\n{headers}\r\n{body}"
        ))
        .await
    }

    async fn act(&self, act: &str, token: &str) -> Answer {
        self.call(act, &format!("Tegata-Page: {token}\r\n"), "{}").await
    }

    /// Opens a page and returns its token.
    async fn token(&self, secret: &str) -> String {
        let opened = self.act("open", secret).await;
        assert_eq!(opened.status, 200, "{opened:?}");
        opened.json()["token"].as_str().unwrap().to_owned()
    }
}

fn no_pages() -> Arc<Desk> {
    let desk = Desk::default();
    desk.end_all();
    Arc::new(desk)
}
