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
