//! A web server on this computer for the pages that a test gives it, by their whole address. One port speaks http and https:
//! the first byte tells which. Whatever else is asked for is 404.

use crate::certs::Identity;
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::{HOST, LOCATION};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use std::collections::BTreeMap;
use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

/// The first byte of a TLS handshake.
const HANDSHAKE: u8 = 0x16;

#[derive(Debug, Clone)]
enum Page {
    Body(Vec<u8>),
    To(String),
    Status(u16),
    Silent,
}

/// What the server knows; addresses are without their query.
#[derive(Debug, Clone, Default)]
pub struct Pages {
    pages: BTreeMap<String, Page>,
}

impl Pages {
    pub fn new() -> Self {
        Self::default()
    }

    pub fn page(self, url: &str, body: impl Into<Vec<u8>>) -> Self {
        self.with(url, Page::Body(body.into()))
    }

    pub fn redirect(self, url: &str, to: &str) -> Self {
        self.with(url, Page::To(to.to_owned()))
    }

    pub fn status(self, url: &str, status: u16) -> Self {
        self.with(url, Page::Status(status))
    }

    /// Takes the request and never answers.
    pub fn silent(self, url: &str) -> Self {
        self.with(url, Page::Silent)
    }

    fn with(mut self, url: &str, page: Page) -> Self {
        self.pages.insert(url.to_owned(), page);
        self
    }

    /// The hosts of all pages.
    pub fn hosts(&self) -> Vec<String> {
        let host = |url: &String| url.split('/').nth(2).map(str::to_owned);
        self.pages.keys().filter_map(host).collect()
    }

    /// Serves them on a free port.
    pub async fn serve(self, identity: &Identity) -> io::Result<Webserver> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let tls = TlsAcceptor::from(identity.server_config().map_err(io::Error::other)?);
        let asked = Arc::new(Mutex::new(Vec::new()));
        let shared = Arc::new((self.pages, Arc::clone(&asked)));
        let task = tokio::spawn(async move {
            let mut running = tokio::task::JoinSet::new();
            while let Ok((tcp, _)) = listener.accept().await {
                let (tls, shared) = (tls.clone(), Arc::clone(&shared));
                running.spawn(async move {
                    let mut first = [0];
                    match tcp.peek(&mut first).await {
                        Ok(1) if first[0] == HANDSHAKE => serve_tls(tls, tcp, shared).await,
                        Ok(1) => talk(tcp, "http", shared).await,
                        _ => {}
                    }
                });
            }
        });
        Ok(Webserver { address, asked, task })
    }
}

type Shared = Arc<(BTreeMap<String, Page>, Arc<Mutex<Vec<Asked>>>)>;

async fn serve_tls(tls: TlsAcceptor, tcp: TcpStream, shared: Shared) {
    if let Ok(stream) = tls.accept(tcp).await {
        talk(stream, "https", shared).await;
    }
}

async fn talk<S>(stream: S, scheme: &'static str, shared: Shared)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = service_fn(move |request| answer(request, scheme, Arc::clone(&shared)));
    let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

async fn answer(
    request: Request<Incoming>,
    scheme: &str,
    shared: Shared,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let host = request.headers().get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let url = format!("{scheme}://{host}{}", request.uri().path());
    let query = request.uri().query().unwrap_or_default().to_owned();
    let headers: Vec<String> = request.headers().keys().map(|name| name.as_str().to_owned()).collect();
    let method = request.method().to_string();
    let body = request.into_body().collect().await.map(|all| all.to_bytes()).unwrap_or_default();
    let body = String::from_utf8_lossy(&body).into_owned();
    let asked = Asked { method, url: url.clone(), query, headers, body };
    shared.1.lock().unwrap_or_else(PoisonError::into_inner).push(asked);
    let reply = match shared.0.get(&url) {
        Some(Page::Silent) => std::future::pending().await,
        Some(Page::Body(body)) => Response::builder().status(200).body(Full::from(body.clone())),
        Some(Page::To(to)) => Response::builder().status(302).header(LOCATION, to).body(Full::default()),
        Some(Page::Status(status)) => Response::builder().status(*status).body(Full::default()),
        None => Response::builder().status(404).body(Full::default()),
    };
    Ok(reply.unwrap_or_default())
}

/// One request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    pub method: String,
    /// Without its query.
    pub url: String,
    pub query: String,
    /// The names of its headers, in lower case.
    pub headers: Vec<String>,
    pub body: String,
}

/// A running server. It stops when it is dropped.
#[derive(Debug)]
pub struct Webserver {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<Asked>>>,
    task: JoinHandle<()>,
}

impl Webserver {
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The requests so far.
    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Webserver {
    fn drop(&mut self) {
        self.task.abort();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::certs::Authority;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    #[tokio::test]
    async fn a_page_is_found_by_its_whole_address() {
        let identity = Authority::new().unwrap().issue(&["localhost"]).unwrap();
        let server = Pages::new().page("http://a.example/x", "hello").serve(&identity).await.unwrap();
        for (host, status) in [("a.example", "200"), ("b.example", "404")] {
            let mut tcp = TcpStream::connect(server.address()).await.unwrap();
            let ask = format!("GET /x?q=1 HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
            tcp.write_all(ask.as_bytes()).await.unwrap();
            let mut all = String::new();
            tcp.read_to_string(&mut all).await.unwrap();
            assert!(all.starts_with(&format!("HTTP/1.1 {status}")), "{all}");
        }
        let asked = server.asked();
        assert_eq!((asked[0].url.as_str(), asked[0].query.as_str()), ("http://a.example/x", "q=1"));
    }
}
