use super::*;
use crate::engine::Engine;
use crate::home::Home;
use crate::settings::{AccountSettings, Encryption};
use jiff::Timestamp;
use proptest::prelude::*;
use std::sync::Arc;
use threadline_secrets::Memory;
use threadline_testkit::clock::HandClock;
use zeroize::Zeroizing;

const WHOLE: &str = r#"{
  "threadline_setup": 1,
  "from": "IT of the firm",
  "oauth": [{"provider": "microsoft", "client_id": "11111111-2222"},
            {"provider": "google", "client_id": "1.apps.example", "client_secret": "GOCSPX-x"}],
  "crm": {"kind": "webhook", "url": "https://crm.firm.example/hooks/threadline"},
  "rules": {"mode": "everyone_outside", "create_contacts": "when_i_write",
            "colleagues": ["Firm2.example"], "never": ["@bank.example", "eve@home.example", "@firm.example"]}
}"#;

fn of(rest: &str) -> Result<Setup, SetupError> {
    Setup::read(&format!("{{\"threadline_setup\": 1, {rest}}}"))
}

#[test]
fn a_file_is_read_and_a_link_holds_the_same() {
    let mut setup = Setup::read(&format!("\u{feff}{WHOLE}\n")).unwrap();
    assert_eq!(setup.oauth.len(), 2);
    assert!(!format!("{setup:?}").contains("GOCSPX"));
    assert_eq!(setup.to_link(), Err(SetupError::SecretInLink));
    setup.oauth.pop();
    let link = setup.to_link().unwrap();
    assert_eq!(Setup::read(&link), Ok(setup.clone()));
    // As mail programs and shells change it.
    let data = link.split_once("data=").unwrap().1;
    for changed in [
        format!("THREADLINE://setup/?data={data}"),
        format!("threadline://setup?from=mail&data={data}%3D%3D#top").replace("%3D%3D", ""),
        format!(" {link}\n"),
    ] {
        assert_eq!(Setup::read(&changed), Ok(setup.clone()), "{changed}");
    }
}

#[test]
fn what_is_wrong_is_named_and_nothing_private_is_quoted() {
    for (text, code, says) in [
        ("", "setup_malformed", "line 1"),
        ("{", "setup_malformed", "line 1"),
        ("[]", "setup_none", "no \"threadline_setup\""),
        ("{\"x\": 1}", "setup_none", ""),
        ("{\"threadline_setup\": 2, \"later\": true}", "setup_newer", "version 2"),
        ("{\"threadline_setup\": 0, \"crm\": {\"kind\": \"hubspot\"}}", "setup_field", "threadline_setup"),
        ("{\"threadline_setup\": 1}", "setup_empty", ""),
        ("threadline://setup", "setup_no_link", "data="),
        ("threadline://setup?data=%%%", "setup_no_link", ""),
        ("threadline://setup?data=e30", "setup_none", ""),
    ] {
        let error = Setup::read(text).unwrap_err();
        assert_eq!(error.code(), code, "{text}");
        assert!(error.to_string().contains(says), "{text}: {error}");
    }
    for (rest, code, says) in [
        ("\"crm\": {\"kind\": \"webhook\", \"url\": \"http://crm.example/\"}", "setup_field", "https://"),
        ("\"crm\": {\"kind\": \"hubspot\", \"base_url\": \"ftp://x\"}", "setup_field", "base_url"),
        ("\"crm\": {\"kind\": \"folder\", \"dir\": \"here\"}", "setup_field", "whole path"),
        ("\"crm\": {\"kind\": \"hubspot\", \"token\": \"hunter2\"}", "setup_field", "nothing else"),
        ("\"crm\": {\"kind\": \"other\"}", "setup_malformed", "variant"),
        ("\"password\": \"hunter2\"", "setup_malformed", "unknown field `password`"),
        ("\"oauth\": [\"hunter2\"]", "setup_malformed", "…"),
        ("\"oauth\": [{\"provider\": \"google\", \"client_id\": \" \"}]", "setup_field", "client_id"),
        ("\"oauth\": [{\"provider\": \"other\", \"client_id\": \"x\"}]", "setup_field", "issuer"),
        (
            "\"oauth\": [{\"provider\": \"google\", \"client_id\": \"x\", \"issuer\": \"https://evil.example\", \"scopes\": [\"m\"]}]",
            "setup_field",
            "known ones have none",
        ),
        ("\"rules\": {\"never\": [\"bank.example\"]}", "setup_field", "behind @"),
        ("\"rules\": {\"colleagues\": [\"a@b\"]}", "setup_field", "colleagues"),
        ("\"from\": \"a\\nb\", \"rules\": {\"mode\": \"known_contacts\"}", "setup_field", "from"),
    ] {
        let error = of(rest).unwrap_err();
        assert_eq!(error.code(), code, "{rest}: {error}");
        assert!(error.to_string().contains(says), "{rest}: {error}");
        assert!(!error.to_string().contains("hunter2"), "{error}");
    }
    let long = format!("{WHOLE}{}", " ".repeat(MOST_BYTES));
    assert_eq!(Setup::from_json(&long), Err(SetupError::TooLong));
    let secret = format!("{LINK}?data={}", URL_SAFE_NO_PAD.encode(WHOLE));
    assert_eq!(Setup::read(&secret), Err(SetupError::SecretInLink));
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in ".{0,300}", data in "[A-Za-z0-9_=-]{0,200}") {
        let _ = Setup::read(&text);
        let _ = Setup::read(&format!("{LINK}?data={data}"));
        let _ = Setup::read(&format!("{LINK}?data={}", URL_SAFE_NO_PAD.encode(&text)));
    }
}

struct Desk {
    engine: Engine,
    secrets: Arc<Memory>,
    _dir: tempfile::TempDir,
}

fn desk() -> Desk {
    let dir = tempfile::tempdir().unwrap();
    let home = Home::open(&dir.path().join("data")).unwrap();
    let secrets = Arc::new(Memory::new());
    let clock = Arc::new(HandClock::at(Timestamp::UNIX_EPOCH));
    let (engine, _) = Engine::open(home, secrets.clone(), clock, None).unwrap();
    Desk { engine, secrets, _dir: dir }
}

#[tokio::test]
async fn what_is_shown_is_what_is_set_for_mailboxes_that_are_there_and_that_come() {
    let desk = desk();
    let engine = &desk.engine;
    let ann = Address::parse("ann@firm.example").unwrap();
    let settings = AccountSettings::new(ann.clone(), "imap.firm.example".into(), Encryption::Tls);
    engine.add_account(settings, Some(Zeroizing::new("secret".into()))).await.unwrap();
    engine.set_oauth_app(OauthProvider::Microsoft, "old-id".into(), None, None).await.unwrap();
    let dir = tempfile::tempdir().unwrap();
    let mut setup = Setup::read(WHOLE).unwrap();
    setup.crm = Some(CrmSettings::Folder { dir: dir.path().join("crm") });

    let preview = engine.preview_setup(&setup).await.unwrap();
    assert_eq!((preview.changes.len(), &preview.needs_secret), (7, &None));
    let shown = serde_json::to_value(&preview).unwrap();
    assert_eq!(shown["changes"][0]["instead_of"], "old-id");
    assert_eq!(shown["changes"][2]["instead_of"][0]["kind"], "folder");
    assert_eq!(shown["changes"][3]["instead_of"][0], "ann@firm.example");
    assert!(!shown.to_string().contains("GOCSPX"), "{shown}");
    assert_eq!(
        engine.account(&ann).await.unwrap().settings.rules.mode,
        LogMode::KnownContacts,
        "nothing is set yet"
    );

    engine.apply_setup(setup.clone(), None).await.unwrap();
    let rules = engine.account(&ann).await.unwrap().settings.rules;
    assert_eq!((rules.mode, rules.version), (LogMode::EveryoneOutside, 2));
    assert_eq!(rules.colleagues, ["firm.example", "firm2.example"]);
    // The firm's own domain is not shut out, whatever the file says.
    assert_eq!(rules.never_domains, ["bank.example"]);
    let bob = engine.rules_for(&Address::parse("bob@firm.example").unwrap()).await.unwrap();
    assert_eq!((bob.mode, bob.never_addresses.len()), (LogMode::EveryoneOutside, 1));
    assert_eq!(engine.oauth_apps().await.unwrap()[0].client_id, "1.apps.example");
    assert!(desk.secrets.names().iter().any(|name| name.starts_with("oauth-app:google")));
    assert!(matches!(engine.crms().await.unwrap()[..], [CrmSettings::Folder { .. }]));

    // Once more: nothing is in its place any more, and nothing changes.
    let again = serde_json::to_value(engine.preview_setup(&setup).await.unwrap()).unwrap();
    assert_eq!(again["changes"][0]["instead_of"], serde_json::Value::Null);
    assert_eq!(again["changes"][3]["instead_of"], serde_json::json!([]));
    engine.apply_setup(setup, None).await.unwrap();
    assert_eq!(engine.account(&ann).await.unwrap().settings.rules.version, 2);
}

#[tokio::test]
async fn a_crms_secret_is_asked_for_and_without_it_nothing_is_set() {
    let desk = desk();
    let setup = Setup::read(WHOLE).unwrap();
    let preview = desk.engine.preview_setup(&setup).await.unwrap();
    assert_eq!(preview.needs_secret.as_deref(), Some("webhook"));
    assert!(
        !serde_json::to_string(&preview).unwrap().contains("hooks"),
        "of its address only the host is shown"
    );
    let refused = desk.engine.apply_setup(setup, None).await.unwrap_err();
    assert_eq!(refused.code(), "crm_setting");
    assert!(desk.engine.oauth_apps().await.unwrap().is_empty() && desk.secrets.names().len() == 1);
}
