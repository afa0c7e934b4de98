//! What a reader of a mail gets, and what holds for any input.

#![allow(clippy::unwrap_used, clippy::panic, reason = "every function here is a test's")]

#[allow(dead_code, reason = "each test file uses its part of it")]
use crate::kit::{GIF, assert_safe, body, clean, fixture, part, tags};
use proptest::prelude::*;
use threadline_html::{MOST_DEPTH, MOST_ELEMENTS, MOST_HTML, MessageHtml};

#[test]
fn a_business_letter_keeps_its_look() {
    let shown = threadline_html::clean(&fixture("letter.html"), &[part("logo@firm.example", GIF)]);
    let body = body(&shown);
    assert_safe(body);
    for kept in [
        "font-size:14.666667px;font-family:Calibri, sans-serif",
        "Dear Ms Grüne,",
        "<b>Our offer</b>",
        "href=\"https://firm.example/offer?id=7&amp;v=2\" title=\"firm.example\"",
        "<table border=\"1\" cellspacing=\"0\" cellpadding=\"4\">",
        "<td style=\"background-color:#eeeeee\">Item</td>",
        "Pump &amp; hose",
        "<li>by sea</li><li>by air</li>",
        "<blockquote>You wrote:<br>How much?</blockquote>",
        "src=\"data:image/gif;base64,R0lGOD",
        "Logo",
    ] {
        assert!(body.contains(kept), "{kept} is gone:\n{body}");
    }
    assert!(!body.contains("Offer</title>") && !body.contains("MsoNormal"));
    assert_eq!((shown.blocked_pictures, shown.cut), (1, false));
}

#[test]
fn the_page_forbids_the_network() {
    let page = threadline_html::clean("<p>x</p>", &[]).html;
    assert!(page.starts_with("<!doctype html><html><head><meta charset=\"utf-8\">"));
    assert!(page.contains("content=\"default-src 'none'; img-src data:; style-src 'unsafe-inline';"));
    assert!(page.contains("color-scheme:light;background:#fff"), "a mail is on white paper in every window");
}

#[test]
fn nothing_to_show_is_no_page() {
    for html in ["", " \n", "<style>x</style>", "<!-- x -->", "<title>x</title>"] {
        assert_eq!(threadline_html::clean(html, &[]).html, "", "{html}");
    }
}

#[test]
fn a_large_mail_is_cut_and_says_so() {
    let large = format!("<p>{}</p>", "five megabytes ".repeat(350_000));
    let shown = threadline_html::clean(&large, &[]);
    assert!(shown.cut && shown.html.len() < MOST_HTML + 4_096);
    // In the middle of a character.
    let wide = "\u{20ac}".repeat(MOST_HTML);
    assert!(threadline_html::clean(&wide, &[]).cut);
    assert!(!threadline_html::clean(&"x".repeat(MOST_HTML), &[]).cut);
}

#[test]
fn too_many_elements_leave_their_text() {
    let shown = threadline_html::clean(&("<br>".repeat(MOST_ELEMENTS) + "<b>the end</b>"), &[]);
    assert!(shown.cut && shown.html.contains("the end") && !shown.html.contains("<b>"));
}

#[test]
fn deep_nesting_is_made_flat_and_loses_no_text() {
    let html: String = (0..10_000).map(|i| format!("<div>{i} ")).collect();
    let body = clean(&html);
    assert_eq!(tags(&body).len(), MOST_DEPTH);
    assert!((0..10_000).all(|i| body.contains(&format!("{i} "))));
    // What lay too deep is closed where it was, and what comes behind it is whole again.
    let closed = format!("{}deep{}<p>after</p>", "<div>".repeat(10_000), "</div>".repeat(10_000));
    assert!(clean(&closed).ends_with("</div><p>after</p>"));
}

#[test]
fn hundreds_of_recipients_in_a_quoted_header_are_shown() {
    let people: String =
        (0..500).map(|i| format!("&lt;<a href=\"mailto:p{i}@x.example\">p{i}@x.example</a>&gt;; ")).collect();
    let body = clean(&format!("<p><b>To:</b> {people}</p>"));
    assert_eq!(body.matches("href=\"mailto:").count(), 500);
}

#[test]
fn a_picture_counts_each_time_it_is_shown() {
    let large: Vec<u8> = GIF.iter().copied().chain(std::iter::repeat_n(0, 3 << 20)).collect();
    let shown = threadline_html::clean(&"<img src=cid:a@x>".repeat(5), &[part("a@x", &large)]);
    assert_eq!((tags(body(&shown)).len(), shown.blocked_pictures), (2, 3));
    let bomb = b"GIF89a\xff\xff\xff\xff\x80\0\0";
    assert_eq!(threadline_html::clean("<img src=cid:b@x>", &[part("b@x", bomb)]).blocked_pictures, 1);
    let odd = [part("a b%@x", GIF)];
    assert_eq!(threadline_html::clean("<img src=\"CID:a%20b%25@x\">", &odd).blocked_pictures, 0);
}

#[test]
fn broken_nesting_is_mended_before_anybody_else_mends_it() {
    for (html, want) in [
        ("<p>a<p>b", "<p>a</p><p>b</p>"),
        ("<b><i>a</b>b</i>", "<b><i>a</i></b>b"),
        ("<table><tr>x<td>y", "<table><tbody><tr><td>x</td><td>y</td></tr></tbody></table>"),
        (
            "<table><b>x<tr><td>y",
            "<table><tbody><tr><td><b>x</b></td></tr><tr><td>y</td></tr></tbody></table>",
        ),
        ("<td>x</td></tr></table>", "x"),
        ("<a href=\"http://x.example/\"><div>a</a>b</div>", ""),
        ("</div></p></b>x", "x"),
        ("<div><table><td></div>x</table>y", "<div><table><tbody><tr><td>x</td></tr></tbody></table>y</div>"),
    ] {
        let got = clean(html);
        if want.is_empty() {
            assert!(got.ends_with("a</div></a>b"), "the link ends where the mail says: {got}");
        } else {
            assert_eq!(got, want, "{html}");
        }
    }
}

#[test]
fn given_up_says_to_show_the_text() {
    let MessageHtml { html, blocked_pictures, cut } = MessageHtml::given_up();
    assert_eq!((html.as_str(), blocked_pictures, cut), ("", 0, true));
}

/// Something like HTML: names that matter to a parser, in any order.
fn htmlish() -> impl Strategy<Value = String> {
    let name = prop::sample::select(vec![
        "a",
        "b",
        "font",
        "span",
        "p",
        "div",
        "li",
        "ul",
        "dd",
        "h1",
        "h2",
        "table",
        "tr",
        "td",
        "tbody",
        "caption",
        "pre",
        "br",
        "img",
        "hr",
        "svg",
        "math",
        "style",
        "script",
        "title",
        "textarea",
        "xmp",
        "noscript",
        "template",
        "select",
        "option",
        "form",
        "iframe",
        "image",
        "mtext",
        "desc",
        "foreignObject",
        "annotation-xml",
        "blockquote",
        "center",
        "i",
    ]);
    let attribute = prop::sample::select(vec![
        "",
        " href=\"http://x.example/?a&b\"",
        " href=javascript:x",
        " src=\"cid:a@x\"",
        " src=http://x.example/",
        " style=\"background:url(x);color:red;font-size:9pt\"",
        " style='position:fixed;top:0'",
        " onclick=x",
        " title=\"<b>\"",
        " size=7",
        " background=x",
        " srcset=x",
        " dir=rtl",
        " xlink:href=x",
        " id=x",
        " class=x",
        " bgcolor=#000",
    ]);
    let piece = prop_oneof![
        4 => (name.clone(), attribute).prop_map(|(n, a)| format!("<{n}{a}>")),
        3 => name.prop_map(|n| format!("</{n}>")),
        2 => "[a-z \n]{0,4}",
        1 => prop::sample::select(vec![
            "<!--", "-->", "<![CDATA[", "]]>", "<!doctype html>", "<", ">", "\"", "'", "&lt;script&gt;", "&#x202e;", "\0", "&", "<?", "</",
            "&quot;", "--!>", "\u{a0}",
        ]).prop_map(str::to_owned),
        1 => "\\PC{0,3}",
    ];
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn whatever_comes_is_safe(html in htmlish()) {
        let shown = threadline_html::clean(&html, &[part("a@x", GIF)]);
        assert_safe(body(&shown));
    }

    #[test]
    fn whatever_comes_is_safe_without_sense(html in "[<>/a-z\"'= &;!\\-\\PC]{0,60}") {
        assert_safe(&clean(&html));
    }

    /// A parser that had to mend something would have added elements.
    #[test]
    fn elements_do_not_multiply(html in htmlish()) {
        let tags_in = html.matches('<').count();
        // A row and a cell where the mail left them out, and a table's body.
        prop_assert!(tags(&clean(&html)).len() <= 4 * tags_in, "{}", clean(&html));
    }

    #[test]
    fn cleaned_again_it_is_the_same(html in htmlish()) {
        let once = clean(&html);
        prop_assert_eq!(clean(&once), once);
    }

    #[test]
    fn styles_hold_nothing_but_what_was_understood(style in "[a-z:;(),#0-9%\"'\\\\/*@!. -]{0,60}") {
        assert_safe(&clean(&format!("<p style=\"{}\">x</p>", style.replace('"', "&quot;"))));
    }
}
