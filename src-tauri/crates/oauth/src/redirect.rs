//! The port of this computer to which the provider sends the browser back (RFC 8252 §7.3).
//!
//! Invariant: the first good answer counts and nothing after it; every other request gets a plain page and changes
//! nothing.

use crate::error::OauthError;
use crate::page::Page;
use crate::secret::Hidden;
use std::io;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::{AbortHandle, JoinSet};

/// How long a browser may take for its request.
const REQUEST: Duration = Duration::from_secs(10);
/// Largest head of a request.
const MOST_HEAD: usize = 16 * 1024;
/// Most connections at once: a browser opens a few.
const MOST_OPEN: usize = 16;
/// How long late requests are answered after the one that counts.
const LINGER: Duration = Duration::from_secs(60);

/// The answer to a sign-in: a code, or why there is none.
pub(crate) type Answer = Result<Hidden, OauthError>;

/// An open port that waits for one answer. It closes when it is dropped before the answer has come, and some time after
/// that else.
#[derive(Debug)]
pub(crate) struct Door {
    pub port: u16,
    answer: oneshot::Receiver<Answer>,
    task: AbortHandle,
    answered: bool,
}

impl Door {
    /// Opens a port that the system chooses, on 127.0.0.1 alone. `judge` reads a request's target.
    pub async fn open(
        judge: impl Fn(&str) -> Option<Answer> + Send + Sync + 'static,
    ) -> Result<Self, OauthError> {
        let no_port = |e: io::Error| OauthError::NoPort(e.kind().to_string());
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.map_err(no_port)?;
        let port = listener.local_addr().map_err(no_port)?.port();
        let (tell, answer) = oneshot::channel();
        let desk = Arc::new(Desk { port, judge: Box::new(judge), tell: Mutex::new(Some(tell)) });
        let task = tokio::spawn(serve(listener, desk)).abort_handle();
        Ok(Self { port, answer, task, answered: false })
    }

    /// The answer that counts.
    pub async fn answer(&mut self) -> Answer {
        let answer = (&mut self.answer).await;
        self.answered = true;
        answer.unwrap_or(Err(OauthError::TimedOut))
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        if !self.answered {
            self.task.abort();
        }
    }
}

/// Reads a request's target; `None` where it is no answer.
type Judge = dyn Fn(&str) -> Option<Answer> + Send + Sync;

struct Desk {
    port: u16,
    judge: Box<Judge>,
    /// Gone when the answer was given.
    tell: Mutex<Option<oneshot::Sender<Answer>>>,
}

async fn serve(listener: TcpListener, desk: Arc<Desk>) {
    let mut open = JoinSet::new();
    let mut close_at = None;
    loop {
        let over = async {
            match close_at {
                Some(at) => tokio::time::sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            accepted = listener.accept(), if open.len() < MOST_OPEN => {
                if let Ok((stream, _)) = accepted {
                    open.spawn(attend(stream, Arc::clone(&desk)));
                }
            }
            Some(_) = open.join_next() => {
                let told = desk.tell.lock().unwrap_or_else(PoisonError::into_inner).is_none();
                if told && close_at.is_none() {
                    close_at = Some(tokio::time::Instant::now() + LINGER);
                }
            }
            () = over => return,
        }
    }
}

/// One connection: one request, one page.
async fn attend(mut stream: TcpStream, desk: Arc<Desk>) {
    let Ok(Ok(head)) = tokio::time::timeout(REQUEST, head(&mut stream)).await else { return };
    let request = Request::read(&head);
    let page = match &request {
        Some(request) if request.is_for(desk.port) => desk.take(request.target),
        _ => Page::Foreign,
    };
    let response = page.response(request.map_or("", |r| r.languages));
    // A browser that is gone wants no page.
    let _ = tokio::time::timeout(REQUEST, async {
        stream.write_all(response.as_bytes()).await?;
        stream.shutdown().await
    })
    .await;
}

impl Desk {
    fn take(&self, target: &str) -> Page {
        let Some(answer) = (self.judge)(target) else { return Page::Foreign };
        let page = if answer.is_ok() { Page::GoOn } else { Page::Refused };
        let tell = self.tell.lock().unwrap_or_else(PoisonError::into_inner).take();
        // Whoever waited may have gone in this very moment.
        match tell.map(|tell| tell.send(answer)) {
            Some(Ok(())) => page,
            _ => Page::Over,
        }
    }
}

/// The head of a request, with its empty line.
async fn head(stream: &mut TcpStream) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    let mut part = [0; 2_048];
    while !head.windows(4).any(|w| w == b"\r\n\r\n") {
        let count = stream.read(&mut part).await?;
        if count == 0 || head.len() + count > MOST_HEAD {
            return Err(io::ErrorKind::InvalidData.into());
        }
        head.extend_from_slice(&part[..count]);
    }
    Ok(head)
}

/// What matters of a request (RFC 9112 §3).
#[derive(Debug, PartialEq, Eq)]
struct Request<'a> {
    target: &'a str,
    host: &'a str,
    languages: &'a str,
}

impl<'a> Request<'a> {
    /// `None` for anything but a GET.
    fn read(head: &'a [u8]) -> Option<Self> {
        let mut lines = std::str::from_utf8(head).ok()?.split("\r\n");
        let mut words = lines.next()?.split(' ');
        let (method, target, version) = (words.next()?, words.next()?, words.next()?);
        if method != "GET" || !version.starts_with("HTTP/1.") || words.next().is_some() {
            return None;
        }
        let (mut host, mut languages) = ("", "");
        for (name, value) in lines.filter_map(|line| line.split_once(':')) {
            if name.eq_ignore_ascii_case("host") {
                host = value.trim();
            } else if name.eq_ignore_ascii_case("accept-language") {
                languages = value.trim();
            }
        }
        Some(Self { target, host, languages })
    }

    /// A page of another host that leads to this port (DNS rebinding) is no answer.
    fn is_for(&self, port: u16) -> bool {
        [format!("127.0.0.1:{port}"), format!("localhost:{port}")].contains(&self.host.to_ascii_lowercase())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn ask(port: u16, request: String) -> String {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    }

    fn get(port: u16, target: &str) -> String {
        format!("GET {target} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAccept-Language: de-DE,de;q=0.9\r\n\r\n")
    }

    async fn door() -> Door {
        Door::open(|target| match target.strip_prefix("/?code=") {
            Some("no") => Some(Err(OauthError::OtherIssuer)),
            Some(code) => Some(Ok(Hidden::new(code.to_owned()))),
            None => None,
        })
        .await
        .unwrap()
    }

    #[tokio::test]
    async fn the_first_answer_counts_and_later_ones_are_told_so() {
        let mut door = door().await;
        let port = door.port;
        for foreign in ["/", "/favicon.ico", "/?code"] {
            let page = ask(port, get(port, foreign)).await;
            assert!(page.starts_with("HTTP/1.1 404") && page.contains("Hier ist nichts."), "{page}");
        }
        let page = ask(port, get(port, "/?code=c-1")).await;
        assert!(page.starts_with("HTTP/1.1 200") && page.contains("fährt mit der Anmeldung fort"), "{page}");
        assert!(!page.contains("c-1") && page.contains("no-referrer"), "{page}");
        for late in ["/?code=c-2", "/?code=no", "/?code=c-1"] {
            assert!(ask(port, get(port, late)).await.contains("Diese Anmeldung ist vorbei"));
        }
        assert_eq!(door.answer().await.unwrap().reveal(), "c-1");
        // It lingers for the browser's sake.
        drop(door);
        let page = ask(port, get(port, "/?code=c-1").replace("de-DE,de", "fr,de")).await;
        assert!(page.contains("This sign-in is over"), "{page}");
    }

    #[tokio::test]
    async fn what_is_no_request_of_a_browser_is_not_an_answer() {
        let mut door = door().await;
        let port = door.port;
        for request in [
            get(port, "/?code=x").replace("GET", "POST"),
            get(port, "/?code=x").replace("GET", "get"),
            get(port, "/?code=x").replace("127.0.0.1", "evil.test"),
            get(port, "/?code=x").replace(" HTTP/1.1", ""),
            get(port, "/?code=x y"),
            format!("GET /?code=x HTTP/1.1\r\nX: {}\r\n\r\n", "y".repeat(1_000)),
        ] {
            let page = ask(port, request.clone()).await;
            assert!(page.starts_with("HTTP/1.1 404"), "{request:?}: {page}");
        }
        let page = ask(port, get(port, "/?code=no")).await;
        assert!(page.contains("wurde nicht abgeschlossen"), "{page}");
        assert_eq!(door.answer().await, Err(OauthError::OtherIssuer));
    }

    #[tokio::test]
    async fn a_door_that_nobody_waits_at_closes() {
        let door = door().await;
        let port = door.port;
        drop(door);
        let closed = async {
            while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.is_ok() {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), closed).await.unwrap();
    }
}
