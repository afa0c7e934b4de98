//! Hostile and broken servers and messages. The rows of the shared list drive which checks there must be; the checks
//! are our own and run without it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)] // every function here is a test's

mod dos;
mod imap;
mod mime;
mod rig;
mod smtp;
mod tls;

use std::pin::Pin;

struct Check {
    area: &'static str,
    name: &'static str,
    run: fn() -> Pin<Box<dyn Future<Output = ()> + Send>>,
}

/// Gives each check its row's area and name, and a test of its own.
macro_rules! checks {
    ($($test:ident: $area:literal, $name:literal => $check:path;)*) => {
        const CHECKS: &[Check] = &[$(Check { area: $area, name: $name, run: || Box::pin($check()) }),*];

        $(
            #[tokio::test]
            async fn $test() {
                $check().await;
            }
        )*
    };
}

checks! {
    no_starttls: "starttls-imap", "O_1 no STARTTLS advertised" => imap::no_starttls;
    starttls_no: "starttls-imap", "O_2 STARTTLS -> NO" => imap::starttls_no;
    starttls_bad: "starttls-imap", "O_3 STARTTLS -> BAD" => imap::starttls_bad;
    hidden: "starttls-imap", "D_1 no capabilities, CAPABILITY+STARTTLS hidden" => imap::hidden;
    only_imap4: "starttls-imap", "D_2/D_3 only IMAP4 capability" => imap::only_imap4;
    preauth: "starttls-imap",
        "P PREAUTH greeting (6 variants: caps with/without STARTTLS, LOGINDISABLED, AUTH=)" => imap::preauth;
    referral: "starttls-imap", "M_1/M_2 mailbox referral on SELECT (after PREAUTH / after TLS)" => imap::referral;
    injection: "starttls-imap", "B_1 response injection behind STARTTLS OK" => imap::injection;
    alert: "starttls-imap", "B_2 ALERT prefix / suffix / after TLS" => imap::alert;
    tamper_list: "tamper-imap",
        "untagged LIST in plaintext phase (a: after greeting, b: before STARTTLS OK)" => imap::tamper_list;
    tamper_lsub: "tamper-imap",
        "untagged LSUB in plaintext phase (a: after greeting, b: before STARTTLS OK)" => imap::tamper_lsub;
    tamper_status: "tamper-imap",
        "untagged STATUS other in plaintext phase (a: after greeting, b: before STARTTLS OK)" => imap::tamper_status;
    tamper_search: "tamper-imap",
        "untagged SEARCH in plaintext phase (a: after greeting, b: before STARTTLS OK)" => imap::tamper_search;
    tamper_flags: "tamper-imap",
        "untagged FLAGS in plaintext phase (a: after greeting, b: before STARTTLS OK)" => imap::tamper_flags;
    tamper_exists: "tamper-imap",
        "untagged EXISTS in plaintext phase (a: after greeting, b: before STARTTLS OK)" => imap::tamper_exists;
    tamper_expunge: "tamper-imap",
        "untagged EXPUNGE in plaintext phase (a: after greeting, b: before STARTTLS OK)" => imap::tamper_expunge;
    tamper_fetch: "tamper-imap",
        "untagged FETCH body in plaintext phase (a: after greeting, b: before STARTTLS OK)" => imap::tamper_fetch;
    tamper_capability: "tamper-imap",
        "untagged CAPABILITY in plaintext phase (a: after greeting, b: before STARTTLS OK)" => imap::tamper_capability;
    greetings: "protocol",
        "greeting invalid / 1-2 junk lines before * OK / tagged greeting / NO / BAD / BYE" => imap::greetings;
    odd_mechanisms: "protocol", "55 odd AUTH= mechanisms, no TLS" => imap::odd_mechanisms;
    utf8_only: "protocol", "UTF8=ONLY; IMAPSIEVE URL capability" => imap::utf8_only;
    self_signed: "tls-cert", "T_1 self-signed (imap, smtp; implicit and STARTTLS)" => tls::self_signed;
    wrong_host: "tls-cert", "T_3 wrong host (imap, smtp; implicit and STARTTLS)" => tls::wrong_host;
    expired: "tls-cert", "T_4 expired (imap, smtp; implicit and STARTTLS)" => tls::expired;
    smtp_refused: "starttls-smtp", "O_1 502 + AUTH in clear" => smtp::refused;
    smtp_hello_unknown: "starttls-smtp", "D_1 EHLO unknown" => smtp::hello_unknown;
    smtp_injection: "starttls-smtp", "B_1 response injection" => smtp::injection;
    smtp_every_code: "starttls-smtp",
        "every reply code at greeting/EHLO/HELO/STARTTLS/QUIT/RSET" => smtp::every_code;
    literals: "imap-dos", "literal 2^32, 10^20, negative" => dos::literals;
    endless_line: "imap-dos", "line without CRLF, 16 MiB+" => dos::endless_line;
    nested: "imap-dos", "nested BODYSTRUCTURE" => dos::nested;
    no_compress: "imap-dos", "COMPRESS=DEFLATE bomb" => dos::no_compress;
    flood: "imap-dos", "untagged flood" => dos::flood;
    cut_off: "imap-lie", "EOF inside FETCH / before tagged OK" => dos::cut_off;
    bye: "imap-lie", "BYE at each of ~20 points; RST instead" => imap::bye;
    no_tag: "imap-lie", "no tag, no star" => imap::no_tag;
    smtp_inject: "smtp-inject",
        "recipient/subject/In-Reply-To with CRLF; body with CRLF.CRLF and bare LF \".\" (SMTP smuggling)"
        => smtp::inject;
    greeting_codes: "ui-spoof", "greeting ALERT / BADCHARSET / PARSE (OK and NO)" => imap::greeting_codes;
    folder_markup: "ui-spoof", "LIST name with markup" => imap::folder_markup;
    multipart_bomb: "mime-bomb", "multipart depth 5000" => mime::multipart_bomb;
    rfc822_bomb: "mime-bomb", "message/rfc822 depth 100000" => mime::rfc822_bomb;
    subject_bomb: "mime-bomb", "50 MB Subject line" => mime::subject_bomb;
    references_bomb: "mime-bomb", "10^6 References ids" => mime::references_bomb;
    addresses_bomb: "mime-bomb", "10^6 addresses in To" => mime::addresses_bomb;
    comment_bomb: "mime-bomb", "10^6 \"(\" in From comment" => mime::comment_bomb;
    duplicates: "mime-differential", "duplicate Message-ID / From / Content-Type headers" => mime::duplicates;
    odd_ids: "mime-differential",
        "Message-ID missing, empty, with spaces, >998 chars, case variants" => mime::odd_ids;
    reference_loops: "mime-differential",
        "References loop / self / forged id of a logged thread" => mime::reference_loops;
    encoded_words: "mime-differential",
        "RFC2047: unknown charset, split multibyte, nested, in addr-spec, encoded CRLF" => mime::encoded_words;
    charsets: "mime-differential",
        "charset utf-7, iso-2022-jp escapes, utf-16 no BOM, x-unknown, overlong utf-8" => mime::charsets;
    boundaries: "mime-differential", "boundary tricks" => mime::boundaries;
    wrapped: "mime-differential",
        "S/MIME, PGP, TNEF winmail.dat, message/partial, message/external-body" => mime::wrapped;
}

/// Rows, or areas (with an empty name), that are checked somewhere else.
const ELSEWHERE: &[(&str, &str, &str)] = &[
    (
        "imap-lie",
        "UIDNEXT absent / too low / decreasing / 4294967295; UIDVALIDITY 0",
        "tests/it/hostile_session.rs",
    ),
    ("imap-lie", "FETCH for another UID / two answers / no UID / UID 0", "tests/it/hostile_session.rs"),
    ("imap-lie", "EXPUNGE shifts sequence numbers during FETCH", "tests/it/hostile_session.rs"),
    ("imap-inject", "", "tests/it/hostile_session.rs"),
    ("html-leak", "", "../html/tests/it/hostile.rs"),
    ("html-xss", "", "../html/tests/it/hostile.rs"),
    ("html-dos", "", "../html/tests/it/hostile.rs"),
    ("html-spoof", "", "../html/tests/it/hostile.rs"),
    ("crash", "", "../../../tests/tests/kill/mail.rs"),
];

#[derive(serde::Deserialize)]
struct Row {
    id: String,
    area: String,
    name: String,
}

#[tokio::test]
async fn every_row_of_the_list_has_a_check_that_holds() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../../shared/data/hostile/cases.jsonl");
    let Ok(text) = std::fs::read_to_string(file) else {
        println!("hostile: skipped, the shared list is not here; {} checks ran on their own", CHECKS.len());
        return;
    };
    let rows: Vec<Row> = text
        .lines()
        .filter(|line| !line.trim().is_empty())
        .map(|line| serde_json::from_str(line).expect("a row is a JSON object"))
        .collect();
    let (mut held, mut here) = (0, 0);
    let mut failed = Vec::new();
    for row in &rows {
        if let Some((_, _, place)) = ELSEWHERE
            .iter()
            .find(|(area, name, _)| *area == row.area && (name.is_empty() || *name == row.name))
        {
            let here = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(place);
            assert!(here.is_file(), "{place} is gone, and its rows with it");
            println!("hostile: {} {}: {place}: {}", row.id, row.area, row.name);
            continue;
        }
        here += 1;
        match CHECKS.iter().find(|c| c.area == row.area && c.name == row.name) {
            None => failed.push(format!("{} {}: {}: no check", row.id, row.area, row.name)),
            Some(check) => match tokio::spawn((check.run)()).await {
                Ok(()) => held += 1,
                Err(_) => failed.push(format!("{} {}: {}", row.id, row.area, row.name)),
            },
        }
    }
    println!("hostile: {held} of {here} rows hold, {} rows are checked elsewhere", rows.len() - here);
    assert!(failed.is_empty() && here > 0, "{failed:#?}");
}
