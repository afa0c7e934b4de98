use super::*;

#[test]
fn codes_are_unique_and_words_are_whole_sentences() {
    for reason in Reason::ALL {
        assert_eq!(Reason::from_code(reason.code()), Some(*reason));
        assert_eq!(serde_json::to_string(reason).unwrap(), format!("\"{}\"", reason.code()));
        for text in [reason.title(), reason.explanation(), reason.next_step()] {
            assert!(text.ends_with('.'), "{reason}: {text}");
        }
        assert!((1..=3).contains(&reason.explanation().matches(['.', '?']).count()), "{reason}");
    }
}

#[test]
fn a_refused_password_is_changed_only_where_it_worked() {
    let code = Some("AUTHENTICATIONFAILED".to_owned());
    let mut evidence = Evidence::new(Phase::Auth, Signal::Imap { status: ImapStatus::No, code }, "no");
    assert_eq!(classify(&evidence), Reason::CredentialsRejected);
    evidence.worked_before = true;
    assert_eq!(classify(&evidence), Reason::PasswordChanged);
}

#[test]
fn a_no_without_a_code_is_not_read_as_a_wrong_password() {
    let mut evidence = Evidence::new(Phase::Auth, Signal::Imap { status: ImapStatus::No, code: None }, "no");
    assert_eq!(classify(&evidence), Reason::AuthRejected);
    evidence.worked_before = true;
    assert_eq!(classify(&evidence), Reason::AuthRejected);
}

#[test]
fn a_mailbox_without_a_free_connection_is_not_refused_for_good() {
    for code in [None, Some("AUTHENTICATIONFAILED"), Some("ALERT")] {
        let signal = Signal::Imap { status: ImapStatus::No, code: code.map(str::to_owned) };
        let words = "Too many simultaneous connections. (Failure)";
        let mut evidence = Evidence::new(Phase::Auth, signal, words);
        evidence.worked_before = true;
        assert_eq!(classify(&evidence), Reason::TooManyConnections, "{code:?}");
        assert!(classify(&evidence).is_transient());
    }
}

#[test]
fn words_are_cleaned_and_cut() {
    let evidence = Evidence::new(Phase::Auth, Signal::Closed, &format!("a\r\nb{}", "x".repeat(9_999)));
    assert!(evidence.words.starts_with("abx"));
    assert_eq!(evidence.words.len(), MOST_WORDS);
}

/// The interface has the owners from here. `THREADLINE_BINDINGS=write` writes the file anew.
#[test]
fn the_interface_has_these_owners() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../ui/src/lib/owners.json");
    let owner = |reason: &Reason| {
        format!("  {:?}: {}", reason.code(), serde_json::to_string(&reason.owner()).unwrap())
    };
    let rows: Vec<String> = Reason::ALL.iter().map(owner).collect();
    let text = format!("{{\n{}\n}}\n", rows.join(",\n"));
    if std::env::var("THREADLINE_BINDINGS").is_ok_and(|what| what == "write") {
        std::fs::write(file, &text).unwrap();
    }
    assert_eq!(std::fs::read_to_string(file).unwrap(), text, "run this test with THREADLINE_BINDINGS=write");
}

#[test]
fn evidence_that_was_stored_by_an_older_version_is_readable() {
    let old =
        r#"{"phase":"auth","signal":{"imap":{"status":"no","code":null}},"words":"no","worked_before":true}"#;
    let evidence: Evidence = serde_json::from_str(old).unwrap();
    assert_eq!((evidence.provider, evidence.mechanism), (None, None));
    let again: Evidence = serde_json::from_str(&serde_json::to_string(&evidence).unwrap()).unwrap();
    assert_eq!(again, evidence);
}

#[test]
fn what_locks_accounts_is_not_tried_again_and_what_heals_is() {
    for reason in Reason::ALL {
        assert!(!reason.is_transient() || reason.again() == Again::Soon, "{reason}");
        let signs_in = [Class::UserAction, Class::Ambiguous].contains(&reason.class());
        assert!(reason.again() != Again::Never || signs_in, "{reason}");
    }
    for reason in [Reason::CredentialsRejected, Reason::AuthRejected, Reason::AccountLocked] {
        assert_eq!(reason.again(), Again::Never);
    }
}

#[test]
fn a_token_that_is_new_is_not_called_old() {
    let words = "a1 NO [AUTHENTICATIONFAILED] Invalid credentials";
    let old = Evidence { mechanism: Some(Mechanism::Token), ..read(Protocol::Imap, words) };
    assert_eq!(classify(&old), Reason::AccessTokenRejected);
    let new = Evidence { fresh_token: true, worked_before: true, ..old };
    assert_eq!(classify(&new), Reason::AuthRejected);
    let off = Evidence { words: "IMAP is disabled for your domain".into(), ..new };
    let off = Evidence { signal: Signal::Imap { status: ImapStatus::No, code: None }, ..off };
    assert_eq!(classify(&off), Reason::ImapDisabledByAdmin);
}

#[test]
fn a_text_that_names_the_password_is_never_tried_again_and_again() {
    for (protocol, text) in [
        (Protocol::Imap, "a1 NO Invalid credentials, please log in again."),
        (Protocol::Imap, "a1 NO [AUTHENTICATIONFAILED] Incorrect password. Please login again."),
        (Protocol::Imap, "a1 NO [AUTHENTICATIONFAILED] Incorrect password, please try again later"),
        (Protocol::Imap, "a1 NO Wrong password. Try again later."),
        (Protocol::Imap, "a1 NO Bad username or password; you are delayed 5 seconds"),
        (Protocol::Imap, "a1 NO Password does not match. Connection limit for this user is 10."),
        (
            Protocol::Imap,
            "a1 NO [AUTHENTICATIONFAILED] Login failed. Visit https://webmail.firm.example to reset it",
        ),
        (Protocol::Imap, "a1 NO Password incorrect; login from host pc7.firm.example denied"),
        (Protocol::Imap, "a1 NO Invalid login for user ann from IP address 203.0.113.9: access denied"),
        (Protocol::Imap, "a1 NO LOGIN denied: bad password, TLS session required is satisfied"),
        (Protocol::Imap, "a1 NO Incorrect password. Two-step verification is off."),
        (Protocol::Imap, "a1 NO Login refused: wrong password. This connection will be closed."),
        (Protocol::Imap, "a1 NO Account or password error, or too frequent login"),
        (Protocol::Imap, "a1 NO Benutzer oder Kennwort falsch. Bitte versuchen Sie es später erneut."),
        (Protocol::Imap, "a1 NO Mot de passe incorrect. Réessayez plus tard."),
        (Protocol::Imap, "a1 NO Contraseña incorrecta. Intente más tarde."),
        (Protocol::Imap, "a1 NO Неверный пароль. Попробуйте позже."),
        (Protocol::Imap, "a1 NO 帐号或密码错误, 系统繁忙"),
        (Protocol::Smtp, "535 5.7.8 Authentication failed, wrong password, try again later"),
        (
            Protocol::Smtp,
            "535 Incorrect password. Your IP address has been recorded; repeated failures are blocked.",
        ),
    ] {
        let evidence = read(protocol, text);
        assert_eq!(classify(&evidence).again(), Again::Never, "{text}: {:?}", judge(&evidence));
        assert_eq!(evidence.blame(), Blame::Likely, "{text}");
    }
}

#[test]
fn blame_is_only_for_a_refused_sign_in_without_a_servers_own_trouble() {
    let blame = |text: &str| read(Protocol::Imap, text).blame();
    assert_eq!(blame("a1 NO [UNAVAILABLE] wrong password"), Blame::No);
    assert_eq!(blame("a1 NO [LIMIT] Too many connections"), Blame::No);
    assert_eq!(blame("a1 NO Too many connections"), Blame::Perhaps);
    assert_eq!(blame("a1 NO SELECT wrong password"), Blame::No);
    assert_eq!(blame("a1 NO [AUTHENTICATIONFAILED] no"), Blame::Likely);
    assert_eq!(read(Protocol::Smtp, "454 4.7.0 wrong password").blame(), Blame::No);
    assert_eq!(read(Protocol::Tcp, "connection refused").blame(), Blame::No);
    let token =
        Evidence { mechanism: Some(Mechanism::Token), ..read(Protocol::Imap, "a1 NO Invalid credentials") };
    assert_eq!(token.blame(), Blame::Perhaps);
}
