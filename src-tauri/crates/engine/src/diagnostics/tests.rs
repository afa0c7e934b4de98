use super::*;
use crate::home::Home;
use crate::settings::Encryption;
use jiff::Timestamp;
use std::sync::Arc;
use threadline_core::address::Address;
use threadline_secrets::Memory;
use threadline_testkit::clock::HandClock;
use zeroize::Zeroizing;

fn engine(dir: &Path) -> Engine {
    let home = Home::open(&dir.join("data")).unwrap();
    let clock = Arc::new(HandClock::at(Timestamp::UNIX_EPOCH));
    Engine::open(home, Arc::new(Memory::new()), clock, None).unwrap().0
}

#[tokio::test]
async fn settings_are_shown_and_secrets_are_not() {
    let dir = tempfile::tempdir().unwrap();
    let engine = engine(dir.path());
    let ann = Address::parse("ann@firm.example").unwrap();
    let mut settings = AccountSettings::new(ann, "imap.firm.example".into(), Encryption::Tls);
    settings.user = "FIRM\\ann.smith".into();
    settings.rules.never_addresses.push(Address::parse("eve@home.example").unwrap());
    engine.add_account(settings, Some(Zeroizing::new("tr0ub4dor".into()))).await.unwrap();
    let hook = CrmSettings::Webhook { url: "https://crm.firm.example/hooks/abc".into() };
    engine
        .set_crm(hook, Some(Zeroizing::new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".into())))
        .await
        .unwrap();
    let known = engine.for_diagnostics().await.unwrap();
    let files = make("", "1970-01-01 the keychain gave tr0ub4dor\n", Some(&known));
    let names: Vec<&str> = files.iter().map(|file| file.name.as_str()).collect();
    assert_eq!(names, ["about.txt", "settings.txt", "state.txt", "health.txt", "log.txt"]);
    let text = as_text(&files);
    for helps in [
        "<mailbox 1>: imap imap.firm.example:993",
        "mailbox=1 in the log",
        "never addresses 1",
        "https://crm.firm.example/…",
        "proxy: system",
    ] {
        assert!(text.contains(helps), "{helps} is not in:\n{text}");
    }
    for secret in ["tr0ub4dor", "smith", "eve@", "hooks", "whsec", "ann@"] {
        assert!(!text.contains(secret), "{secret} is in:\n{text}");
    }
}

#[test]
fn without_a_ledger_the_rest_is_there() {
    let text = as_text(&make("the ledger cannot be read: the keychain is locked\n", "one line\n", None));
    assert!(text.contains("the keychain is locked") && text.contains("one line"), "{text}");
    assert_eq!(text.matches(UNREAD).count(), 3, "{text}");
}

#[test]
fn a_file_is_there_whole_or_not_at_all_and_is_private() {
    let dir = tempfile::tempdir().unwrap();
    let files = make("", "", None);
    let path = dir.path().join("d.txt");
    save(&path, &files).unwrap();
    assert_eq!(std::fs::read_to_string(&path).unwrap(), as_text(&files));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
    // A folder stands in the way of the last step.
    let taken = dir.path().join("taken");
    std::fs::create_dir_all(taken.join("x")).unwrap();
    let refused = save(&taken, &files).unwrap_err();
    assert_eq!(refused.code(), "not_written");
    assert!(save(&dir.path().join("nowhere/d.txt"), &files).is_err());
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 2, "nothing is left beside it");
}
