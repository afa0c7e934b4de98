//! Only a server that the system trusts gets a message.

use crate::bench::*;
use std::sync::Arc;
use threadline_core::reason::Reason;
use threadline_crm::{Accepted, CrmError, Secret, Sink, WebhookSettings, WebhookSink};
use threadline_testkit::certs::{Authority, Identity};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

/// Answers every request with 200, if the handshake gets that far.
async fn server(identity: Option<Identity>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let acceptor = identity.map(|i| TlsAcceptor::from(i.server_config().unwrap()));
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            match &acceptor {
                None => drop(stream.write_all(b"220 this is no TLS\r\n").await),
                Some(acceptor) => {
                    let Ok(mut stream) = acceptor.accept(stream).await else { continue };
                    let mut seen = Vec::new();
                    while !seen.ends_with(b"}") && stream.read_buf(&mut seen).await.is_ok_and(|n| n > 0) {}
                    let _ = stream
                        .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n{\"id\":\"7\"}")
                        .await;
                    let _ = stream.shutdown().await;
                }
            }
        }
    });
    format!("https://localhost:{port}/hook?token=4711")
}

async fn push(url: String) -> Result<Accepted, CrmError> {
    let settings = WebhookSettings::new(url, Secret::new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"));
    let sink = WebhookSink::new(settings, Arc::new(clock())).unwrap();
    sink.push(&[delivery(1, "ann@buyer.example", None)]).await.remove(0)
}

#[tokio::test]
async fn a_certificate_of_a_stranger_gets_nothing() {
    let identity = Authority::new().unwrap().issue(&["localhost"]).unwrap();
    let error = push(server(Some(identity)).await).await.unwrap_err();
    assert_eq!(error.reason, Reason::TlsUntrusted);
    assert!(!error.uncertain, "no byte of the message was sent");
    assert!(!error.to_string().contains("4711"), "{error}");
}

#[tokio::test]
async fn a_port_without_tls_is_told_apart() {
    let error = push(server(None).await).await.unwrap_err();
    assert_eq!(error.reason, Reason::TlsPlaintextPort);
    assert!(!error.uncertain);
}

/// The other process of the test below; alone it does nothing.
#[tokio::test]
async fn child_client() {
    let Ok(url) = std::env::var("THREADLINE_TEST_HTTPS") else { return };
    let reason = std::env::var("THREADLINE_TEST_REASON").unwrap();
    match push(url).await {
        Ok(accepted) => assert_eq!((accepted.remote_id.as_deref(), reason.as_str()), (Some("7"), "")),
        Err(error) => assert_eq!(error.reason.code(), reason, "{error}"),
    }
}

/// Elsewhere the system's trust store cannot be set for one process.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_certificate_that_the_system_trusts_is_taken_and_its_faults_are_named() {
    let temp = tempfile::tempdir().unwrap();
    let authority = Authority::new().unwrap();
    let roots = temp.path().join("roots.pem");
    std::fs::write(&roots, authority.pem()).unwrap();
    for (identity, reason) in [
        (authority.issue(&["localhost"]).unwrap(), ""),
        (authority.issue(&["other.example"]).unwrap(), "tls_name_mismatch"),
        (authority.issue_expired(&["localhost"]).unwrap(), "tls_expired"),
    ] {
        let output = tokio::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "tls::child_client"])
            .env("THREADLINE_TEST_HTTPS", server(Some(identity)).await)
            .env("THREADLINE_TEST_REASON", reason)
            .env("SSL_CERT_FILE", &roots)
            .env("SSL_CERT_DIR", temp.path())
            .kill_on_drop(true)
            .output()
            .await
            .unwrap();
        assert!(output.status.success(), "{reason}: {}", String::from_utf8_lossy(&output.stdout));
    }
}
