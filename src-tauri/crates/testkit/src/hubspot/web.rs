//! A small HTTP server that can hang up, or never answer, at any moment.

use axum::body::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use hyper::service::service_fn;
use hyper::{Method, Request, Response};
use hyper_util::rt::TokioIo;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::task::{JoinHandle, JoinSet};

/// Largest request read, in bytes.
const MOST_REQUEST: usize = 128 * 1024 * 1024;

/// One request, read whole.
#[derive(Debug, Clone)]
pub struct Ask {
    pub method: Method,
    pub path: String,
    /// Decoded, in order.
    pub query: Vec<(String, String)>,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Ask {
    /// A header's text; empty where it is missing.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or_default()
    }

    /// A query parameter.
    pub fn param(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }
}

/// What the server does with a request.
#[derive(Debug, Clone)]
pub enum Answer {
    Say {
        status: u16,
        headers: Vec<(&'static str, String)>,
        body: Vec<u8>,
    },
    /// Closes the connection without a byte.
    HangUp,
    /// Leaves the client waiting.
    Silence,
}

/// A server on a free port of 127.0.0.1. Stops when dropped.
#[derive(Debug)]
pub struct WebServer {
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl WebServer {
    /// Starts to listen; `handle` answers every request.
    pub async fn start<H, F>(handle: H) -> io::Result<Self>
    where
        H: Fn(Ask) -> F + Send + Sync + 'static,
        F: Future<Output = Answer> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let handle = Arc::new(handle);
        let task = tokio::spawn(async move {
            // Dropped with this task, which ends every connection.
            let mut connections = JoinSet::new();
            loop {
                let Ok((stream, _)) = listener.accept().await else { return };
                let handle = handle.clone();
                connections.spawn(async move {
                    let service = service_fn(move |request| serve(request, handle.clone()));
                    let served = hyper::server::conn::http1::Builder::new()
                        .serve_connection(TokioIo::new(stream), service)
                        .await;
                    // A connection that was hung up on is what a test asked for.
                    drop(served);
                });
                while connections.try_join_next().is_some() {}
            }
        });
        Ok(Self { address, task })
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// `http://127.0.0.1:<port>`, without a slash at the end.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for WebServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve<H, F>(request: Request<Incoming>, handle: Arc<H>) -> io::Result<Response<Full<Bytes>>>
where
    H: Fn(Ask) -> F,
    F: Future<Output = Answer>,
{
    let (head, body) = request.into_parts();
    let body = Limited::new(body, MOST_REQUEST)
        .collect()
        .await
        .map_err(|_| io::Error::other("the request was cut off"))?
        .to_bytes();
    let ask = Ask {
        method: head.method,
        path: percent_decode(head.uri.path()),
        query: parse_query(head.uri.query().unwrap_or_default()),
        headers: head.headers,
        body,
    };
    match handle(ask).await {
        Answer::HangUp => Err(io::Error::other("hung up")),
        Answer::Silence => std::future::pending().await,
        Answer::Say { status, headers, body } => {
            let mut response = Response::new(Full::new(Bytes::from(body)));
            *response.status_mut() = status.try_into().map_err(io::Error::other)?;
            for (name, value) in headers {
                let value = HeaderValue::from_str(&value).map_err(io::Error::other)?;
                response.headers_mut().insert(HeaderName::from_static(name), value);
            }
            Ok(response)
        }
    }
}

fn parse_query(query: &str) -> Vec<(String, String)> {
    query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (percent_decode(&name.replace('+', " ")), percent_decode(&value.replace('+', " ")))
        })
        .collect()
}

fn percent_decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut i = 0;
    while i < bytes.len() {
        let escaped = (bytes[i] == b'%')
            .then(|| text.get(i + 1..i + 3))
            .flatten()
            .and_then(|hex| u8::from_str_radix(hex, 16).ok());
        out.push(escaped.unwrap_or(bytes[i]));
        i += if escaped.is_some() { 3 } else { 1 };
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_are_decoded() {
        let want = [("email".to_owned(), "a+b@x y".to_owned()), ("q".to_owned(), "100%".to_owned())];
        assert_eq!(parse_query("email=a%2Bb%40x+y&q=100%"), want);
    }
}
