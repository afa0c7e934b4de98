//! Each way of signing in on real servers: Dovecot, and Postfix with Dovecot's SASL behind it.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "what fails here fails the test")]

use crate::session_kit::*;
use threadline_core::reason::Reason;
use threadline_mail::connect::{Server, Timeouts};
use threadline_mail::error::MailError;
use threadline_mail::login::Login;
use threadline_mail::session::Session;
use threadline_mail::smtp;
use threadline_testkit::lab::Lab;

/// Neither is ASCII, and the password has what quoted strings and SCRAM's messages must escape.
const USER: &str = "jürgen=a,b@lab.test";
const PASSWORD: &str = "pä\"ss\\wört,=x";

async fn both(lab: &Lab, login: &Login) -> Result<(), MailError> {
    Session::open(&lab_server(lab), login, &Timeouts::default()).await?.logout().await;
    let server = Server { port: lab.smtps_port(), ..lab_server(lab) };
    let submission = smtp::smtp(&server, &Timeouts::default()).await?;
    smtp::sign_in(&server, submission, login, &Timeouts::default()).await.map(drop)
}

#[tokio::test]
async fn each_way_takes_odd_names_and_passwords() {
    for mechanisms in ["scram-sha-256", "scram-sha-256 plain", "plain", "login"] {
        let lab = Lab::builder().mechanisms(mechanisms).user(USER, PASSWORD).with_smtp().start().unwrap();
        both(&lab, &Login::password(USER, PASSWORD.to_owned())).await.unwrap_or_else(|e| {
            panic!("{mechanisms}: {e}\n{}", lab.log());
        });
        let wrong = Login::password(USER, "pä\"ss".to_owned());
        let error = both(&lab, &wrong).await.unwrap_err();
        assert_eq!(error.reason, Reason::CredentialsRejected, "{mechanisms}: {error}");
    }
}
