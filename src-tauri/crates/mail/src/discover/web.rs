//! One document from the web, through few redirects, with what makes it doubtful.

use super::Doubt;
use super::answer::host_name;
use super::network::{Network, Reach, Silence, Told};
use crate::provider::is_within;
use url::Url;

/// Most redirects that are followed.
const MOST_REDIRECTS: usize = 3;

/// A document and how it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Document {
    pub body: Vec<u8>,
    pub doubts: Vec<Doubt>,
}

/// Where the last answer was, when it was no document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Missed {
    Silent,
    Status(u16),
    /// A redirect that is not followed.
    Elsewhere(Url),
}

impl From<Silence> for Missed {
    fn from(Silence: Silence) -> Self {
        Missed::Silent
    }
}

/// What is asked for, and how far.
pub(super) struct Request<'a> {
    pub url: Url,
    pub post: Option<String>,
    /// A host outside this domain makes the answer doubtful.
    pub home: &'a str,
    /// False: what is sent stays within `home` and on https; a redirect to elsewhere is not followed, but told.
    pub abroad: bool,
}

/// Fetches a document.
pub(super) async fn fetch(network: &dyn Network, request: Request<'_>) -> Result<Document, Missed> {
    let Request { mut url, post, home, abroad } = request;
    let mut doubts = Vec::new();
    for redirects in 0..=MOST_REDIRECTS {
        doubt(&mut doubts, &url, home);
        // A host that a redirect has named may be a name for something within this network.
        let named_by_redirect = redirects > 0 && !is_home(&url, home);
        let reach = if named_by_redirect { Reach::Outside } else { Reach::Anywhere };
        match network.web(&url, post.clone(), reach).await? {
            Told::Body(body) => return Ok(Document { body, doubts }),
            Told::Status(status) => return Err(Missed::Status(status)),
            Told::Redirect(to) => {
                let next = url.join(&to).ok().filter(acceptable).ok_or(Missed::Silent)?;
                let leaves = next.scheme() != "https" || !is_home(&next, home);
                if leaves && !abroad {
                    return Err(Missed::Elsewhere(next));
                }
                url = next;
            }
        }
    }
    Err(Missed::Silent)
}

fn doubt(doubts: &mut Vec<Doubt>, url: &Url, home: &str) {
    let mut add = |doubt| {
        if !doubts.contains(&doubt) {
            doubts.push(doubt);
        }
    };
    if url.scheme() != "https" {
        add(Doubt::PlainHttp);
    }
    if !is_home(url, home) {
        add(Doubt::Redirected);
    }
}

fn is_home(url: &Url, home: &str) -> bool {
    url.host_str().is_some_and(|host| is_within(host, home))
}

/// A redirect may lead to a web server with a name, at its usual port: never into the local network by number, and never to
/// another service.
fn acceptable(url: &Url) -> bool {
    matches!(url.scheme(), "http" | "https")
        && url.port().is_none()
        && url.username().is_empty()
        && url.password().is_none()
        && url.host_str().is_some_and(|host| host_name(host).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connect::Server;
    use crate::discover::network::Srv;
    use crate::error::MailError;
    use async_trait::async_trait;
    use std::collections::HashMap;
    use std::sync::Mutex;

    /// Answers by address, and notes what was asked.
    #[derive(Debug, Default)]
    struct Pages {
        pages: HashMap<&'static str, Told>,
        asked: Mutex<Vec<String>>,
    }

    #[async_trait]
    impl Network for Pages {
        async fn imap(&self, server: &Server) -> Result<(), MailError> {
            Err(MailError::unresolved(&server.name()))
        }
        async fn smtp(&self, server: &Server) -> Result<(), MailError> {
            Err(MailError::unresolved(&server.name()))
        }
        async fn web(&self, url: &Url, _post: Option<String>, reach: Reach) -> Result<Told, Silence> {
            let own = url.host_str().is_some_and(|host| host.ends_with("firm.example"));
            assert_eq!(reach == Reach::Anywhere, own, "{url}");
            self.asked.lock().unwrap().push(url.to_string());
            self.pages.get(url.as_str()).cloned().ok_or(Silence)
        }
        async fn srv(&self, _name: &str) -> Result<Vec<Srv>, Silence> {
            Err(Silence)
        }
        async fn mx(&self, _domain: &str) -> Result<Vec<String>, Silence> {
            Err(Silence)
        }
    }

    fn to(url: &str) -> Told {
        Told::Redirect(url.to_owned())
    }

    async fn ask(pages: &Pages, url: &str, abroad: bool) -> Result<Document, Missed> {
        let url = Url::parse(url).unwrap();
        fetch(pages, Request { url, post: None, home: "firm.example", abroad }).await
    }

    #[tokio::test]
    async fn a_way_through_another_domain_or_plaintext_leaves_doubts() {
        let body = Told::Body(b"x".to_vec());
        let pages = Pages {
            pages: HashMap::from([
                ("https://firm.example/own", to("/same")),
                ("https://firm.example/same", body.clone()),
                ("https://firm.example/out", to("https://other.example/x")),
                ("https://other.example/x", to("https://firm.example/same")),
                ("https://firm.example/down", to("http://firm.example/plain")),
                ("http://firm.example/plain", to("https://firm.example/same")),
            ]),
            ..Pages::default()
        };
        for (path, doubts) in
            [("own", vec![]), ("out", vec![Doubt::Redirected]), ("down", vec![Doubt::PlainHttp])]
        {
            let document = ask(&pages, &format!("https://firm.example/{path}"), true).await.unwrap();
            assert_eq!(document.doubts, doubts, "{path}");
        }
        let kept = ask(&pages, "https://firm.example/out", false).await;
        assert_eq!(kept, Err(Missed::Elsewhere(Url::parse("https://other.example/x").unwrap())));
        assert!(matches!(ask(&pages, "https://firm.example/down", false).await, Err(Missed::Elsewhere(_))));
    }

    #[tokio::test]
    async fn a_redirect_leads_neither_in_circles_nor_into_the_local_network() {
        let mut pages =
            Pages { pages: HashMap::from([("https://firm.example/a", to("/a"))]), ..Pages::default() };
        assert_eq!(ask(&pages, "https://firm.example/a", true).await, Err(Missed::Silent));
        assert_eq!(pages.asked.lock().unwrap().len(), MOST_REDIRECTS + 1);
        for evil in [
            "http://127.0.0.1/x",
            "https://[::1]/x",
            "http://0x7f000001/",
            "https://localhost/",
            "https://router/",
            "file:///etc/passwd",
            "https://firm.example:8080/",
            "https://a:b@firm.example/",
            "https://",
        ] {
            pages.pages.insert("https://firm.example/a", to(evil));
            pages.asked.lock().unwrap().clear();
            assert_eq!(ask(&pages, "https://firm.example/a", true).await, Err(Missed::Silent), "{evil}");
            assert_eq!(pages.asked.lock().unwrap().len(), 1, "{evil}");
        }
    }
}
